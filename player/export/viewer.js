"use strict";
/**
 * Plays an exported replay. It stands alone in the page that holds the data: no imports, no network, and what apps sent
 * reaches the page as text only.
 */
(() => {
  /**
   * @typedef {[at_ms: number, kind: string, text: string, more: string, x: number | null, y: number | null]} Happening
   * @typedef {object} About
   * @property {[string, string][]} facts
   * @property {string} platform
   * @property {number} duration_ms
   * @property {{width: number, height: number}} device
   * @property {[at_ms: number, picture: number][]} frames
   * @property {number} every  pictures left out to keep the file small: every n-th is here
   */
  const ROW_PX = 28;
  const TOUCH_MS = 700;
  const BAD = new Set(["crash", "error"]);
  const IOS_SCALE = 1.25;

  const about = /** @type {About} */ (JSON.parse(element("told", HTMLScriptElement).text));
  const events = /** @type {Happening[]} */ (JSON.parse(element("events", HTMLScriptElement).text));
  const picture = element("picture", HTMLImageElement);
  const marks = element("marks", HTMLCanvasElement);
  const seek = element("seek", HTMLInputElement);
  const play = element("play", HTMLButtonElement);
  const speed = element("speed", HTMLSelectElement);
  const clock = element("clock", HTMLOutputElement);
  const search = element("search", HTMLInputElement);
  const list = element("list", HTMLDivElement);
  const rows = element("rows", HTMLDivElement);
  const detail = element("detail", HTMLPreElement);

  const touches = events.filter(([, , , , x]) => x !== null);
  const last = Math.max(about.duration_ms, about.frames.at(-1)?.[0] ?? 0, events.at(-1)?.[0] ?? 0, 1);
  const state = { at: 0, playing: false, frame: -1, chosen: -1, shown: events };

  /** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
  function element(id, kind) {
    const found = document.getElementById(id);
    if (!(found instanceof kind)) throw new Error(`no ${id}`);
    return found;
  }

  /** How many of these rows have begun. @param {readonly {0: number}[]} all @param {number} at_ms */
  function begun(all, at_ms) {
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.[0] ?? 0) <= at_ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} ms */
  function since(ms) {
    const s = Math.floor(Math.abs(ms) / 1000);
    const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
    const hours = s >= 3600 ? `${Math.floor(s / 3600)}:` : "";
    return `${ms < 0 ? "-" : ""}${hours}${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  }

  /** Pixels of the picture per unit of touches: points on iOS, pixels on Android. */
  function touchScale() {
    const { width, height } = about.device;
    const short = Math.min(width, height);
    const size = [picture.naturalWidth, picture.naturalHeight];
    if (short <= 0) return about.platform === "ios" ? IOS_SCALE : 1;
    const slimness = Math.max(...size) / Math.min(...size) - Math.max(width, height) / short;
    return about.platform === "ios" && Math.abs(slimness) >= 0.05 ? IOS_SCALE : Math.min(...size) / short;
  }

  function drawPicture() {
    const place = begun(about.frames, state.at) - 1;
    const number = about.frames[Math.max(place, 0)]?.[1] ?? -1;
    if (number === state.frame) return;
    state.frame = number;
    const source = element(`p${number}`, HTMLScriptElement);
    picture.src = `data:${source.dataset["type"]};base64,${source.text}`;
  }

  function pictured() {
    picture.style.setProperty("--shape", String(picture.naturalWidth / picture.naturalHeight));
    drawTouches();
  }

  function drawTouches() {
    const pen = marks.getContext("2d");
    if (!pen || !picture.naturalWidth) return;
    if (marks.width !== picture.naturalWidth) marks.width = picture.naturalWidth;
    if (marks.height !== picture.naturalHeight) marks.height = picture.naturalHeight;
    pen.clearRect(0, 0, marks.width, marks.height);
    const scale = touchScale();
    const radius = Math.min(marks.width, marks.height) / 20;
    for (let place = begun(touches, state.at) - 1; place >= 0; place--) {
      const [at_ms, , , , x, y] = /** @type {Happening} */ (touches[place]);
      const age = (state.at - at_ms) / TOUCH_MS;
      if (age >= 1) break;
      pen.globalAlpha = 1 - age;
      pen.beginPath();
      pen.arc((x ?? 0) * scale, (y ?? 0) * scale, radius * (0.6 + age), 0, 7);
      pen.fillStyle = "rgb(255 90 40 / 55%)";
      pen.fill();
      pen.lineWidth = radius / 6;
      pen.strokeStyle = "#fff";
      pen.stroke();
    }
  }

  function drawRows() {
    const here = current();
    const first = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - 5);
    const visible = state.shown.slice(first, first + Math.ceil(list.clientHeight / ROW_PX) + 10);
    rows.style.height = `${state.shown.length * ROW_PX}px`;
    rows.replaceChildren(...visible.map((row, k) => rowOf(row, first + k, here)));
    if (here >= first && here < first + visible.length) list.setAttribute("aria-activedescendant", `e${here}`);
    else list.removeAttribute("aria-activedescendant");
  }

  /** The row that is chosen, else the last one that has begun; -1: none. */
  function current() {
    return state.chosen >= 0 ? state.chosen : begun(state.shown, state.at) - 1;
  }

  /** @param {Happening} happening @param {number} place @param {number} here */
  function rowOf([at_ms, kind, text], place, here) {
    const row = document.createElement("div");
    row.className = BAD.has(kind) ? "row bad" : "row";
    row.id = `e${place}`;
    row.role = "option";
    row.ariaSelected = String(place === here);
    row.style.top = `${place * ROW_PX}px`;
    row.dataset["place"] = String(place);
    for (const [name, value] of [["at", since(at_ms)], ["kind", kind], ["text", text]]) {
      const cell = document.createElement("span");
      cell.className = name ?? "";
      cell.textContent = value ?? "";
      row.append(cell);
    }
    return row;
  }

  function drawDetail() {
    const [at_ms, kind, text, more] = state.shown[current()] ?? [0, "", "", ""];
    detail.textContent = kind ? `${since(at_ms)} ${kind}\n${text}${more ? `\n\n${more}` : ""}` : "";
  }

  function draw() {
    drawPicture();
    drawTouches();
    drawRows();
    drawDetail();
    seek.value = String(Math.round(state.at));
    clock.value = `${since(state.at)} / ${since(last)}`;
    play.textContent = state.playing ? "Pause" : "Play";
  }

  /** @param {number} at_ms */
  function goTo(at_ms) {
    state.at = Math.min(Math.max(at_ms, 0), last);
    state.chosen = -1;
    reveal(begun(state.shown, state.at) - 1);
    draw();
  }

  /** @param {number} place */
  function choose(place) {
    const chosen = state.shown[place];
    if (!chosen) return;
    state.at = Math.min(Math.max(chosen[0], 0), last);
    state.chosen = place;
    reveal(place);
    draw();
  }

  /** @param {number} place */
  function reveal(place) {
    const top = place * ROW_PX;
    if (top < list.scrollTop || top + ROW_PX > list.scrollTop + list.clientHeight) {
      list.scrollTop = top - list.clientHeight / 2;
    }
  }

  /** @param {number} before_ms */
  function run(before_ms) {
    requestAnimationFrame((now_ms) => {
      if (!state.playing) return;
      const at_ms = state.at + (now_ms - before_ms) * Number(speed.value);
      if (at_ms >= last) state.playing = false;
      goTo(at_ms);
      run(now_ms);
    });
  }

  function toggle() {
    state.playing = !state.playing;
    if (state.playing && state.at >= last) state.at = 0;
    draw();
    run(performance.now());
  }

  /** @param {KeyboardEvent} event */
  function pressed(event) {
    const { key, target } = event;
    if (target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = current();
    if (key === " " && target !== play && target !== speed) toggle();
    else if (key === "ArrowDown" && target === list) choose(Math.min(here + 1, state.shown.length - 1));
    else if (key === "ArrowUp" && target === list) choose(Math.max(here - 1, 0));
    else if (key === "ArrowRight" && target !== seek && target !== speed) goTo(state.at + 5000);
    else if (key === "ArrowLeft" && target !== seek && target !== speed) goTo(state.at - 5000);
    else return;
    event.preventDefault();
  }

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    state.shown = events.filter(([, kind, text, more]) => `${kind} ${text} ${more}`.toLowerCase().includes(wanted));
    state.chosen = -1;
    list.scrollTop = 0;
    draw();
  }

  for (const [name, value] of about.facts) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    told.textContent = value;
    element("facts", HTMLDListElement).append(term, told);
  }
  const note = element("note", HTMLParagraphElement);
  note.hidden = about.every === 1;
  note.textContent = `To keep this file small it holds one of every ${about.every} pictures.`;
  element("empty", HTMLParagraphElement).hidden = about.frames.length > 0;
  picture.hidden = marks.hidden = about.frames.length === 0;
  seek.max = String(last);
  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => goTo(Number(seek.value)));
  search.addEventListener("input", filter);
  picture.addEventListener("load", pictured);
  list.addEventListener("scroll", drawRows);
  list.addEventListener("click", ({ target }) => {
    const row = target instanceof Element ? target.closest("[data-place]") : null;
    if (row instanceof HTMLElement) choose(Number(row.dataset["place"]));
  });
  addEventListener("resize", draw);
  addEventListener("keydown", pressed);
  if (about.frames.length === 0) state.frame = -1;
  draw();
})();
