/**
 * The timeline below the stage: a slider over marks of everything that happened, with a look at any moment on hover.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 * @import { Lane } from "./lanes.js"
 * @import { Pictures } from "./pictures.js"
 * @import { Window } from "./timeline_window.js"
 */

import { clock as clockText, spokenDuration } from "../draw/format.js";
import { visitsOf } from "../panels/screen_visits.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { createHoverCard } from "./hover_card.js";
import { lanesOf } from "./lanes.js";
import { layoutOf, paintLane, paintRuler, paintScreens, paintTrack } from "./timeline_paint.js";
import { isWhole, shifted, showing, zoomed } from "./timeline_window.js";

/** @typedef {{replay: Replay, clock: Clock, pictures: Pictures}} Scene */
/**
 * @typedef {object} Hands what the viewer does on the bar
 * @property {(t: number, phase: "start" | "move" | "end") => void} scrub
 * @property {(t: number | null) => void} hover
 * @property {(t: number) => void} seek
 */

const STEP_MS = 5_000;
const SMALL_STEP_MS = 1_000;
const NEAR_PX = 7;
/** What is loaded shows this much later: it changes with every picture. */
const LOADED_MS = 250;
const ZOOM_PER_PX = 0.0022;

/** @param {Hands} hands */
export function createTimelineBar(hands) {
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Lane[]} */
  let lanes = [];
  /** @type {ReturnType<typeof visitsOf>} */
  let visits = [];
  /** @type {Window} */
  let window = { from: 0, to: 0 };
  let width = 0;
  let whole = true;
  let scrubbing = false;
  /** @type {number | null} */
  let hovered = null;
  /** @type {number | null} */
  let asked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let slowly;
  let said = "";
  /** @type {{slider: HTMLElement, canvas: HTMLCanvasElement, now: HTMLElement, at: HTMLElement, labels: HTMLElement, zoom: HTMLElement} | null} */
  let parts = null;
  const card = createHoverCard();
  const sizes = new ResizeObserver(() => resized());
  const themes = new MutationObserver(() => paintLater());

  /** @param {Element | undefined} host */
  function mount(host) {
    sizes.disconnect();
    themes.disconnect();
    parts = null;
    if (!(host instanceof HTMLElement)) return;
    render(
      html`<div class="timeline-labels" aria-hidden="true"></div>
        <div
          class="timeline-slider"
          role="slider"
          tabindex="0"
          aria-label="Position in the session"
          aria-valuemin="0"
          @pointerdown=${pressed}
          @pointermove=${moved}
          @pointerup=${released}
          @pointercancel=${released}
          @pointerleave=${left}
          @keydown=${typed}
          @wheel=${{ handleEvent: wheeled, passive: false }}
        >
          <canvas></canvas>
          <span class="timeline-at" hidden></span>
          <span class="timeline-now"></span>
        </div>
        <div class="timeline-zoom"></div>
        ${card.draw()}`,
      host,
    );
    const find = (/** @type {string} */ name) => /** @type {any} */ (host.querySelector(name));
    parts = {
      slider: find(".timeline-slider"),
      canvas: find(".timeline-slider canvas"),
      now: find(".timeline-now"),
      at: find(".timeline-at"),
      labels: find(".timeline-labels"),
      zoom: find(".timeline-zoom"),
    };
    sizes.observe(parts.slider);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    resized();
  }

  function resized() {
    if (!parts) return;
    width = parts.slider.clientWidth;
    parts.canvas.style.height = `${layout().height}px`; // what is around it finds its place before it is painted
    paintLater();
    paintNow();
  }

  function paintLater() {
    asked ??= requestAnimationFrame(() => {
      asked = null;
      paintStill();
    });
  }

  const layout = () => layoutOf(lanes.length, width >= 360 && visits.length > 0);
  const x = (/** @type {number} */ t) => ((t - window.from) / Math.max(window.to - window.from, 1)) * width;
  const timeAt = (/** @type {number} */ px) => window.from + (Math.min(Math.max(px, 0), width) / Math.max(width, 1)) * (window.to - window.from);

  function paintStill() {
    if (!parts || !scene || width <= 0) return;
    const { canvas, labels } = parts;
    const { ruler, track, screens, lanes: strips, height } = layout();
    const ratio = devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    const style = getComputedStyle(canvas);
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.scale(ratio, ratio);
    /** @type {Map<string, string>} */
    const inks = new Map();
    const ink = (/** @type {string} */ token) => {
      const known = inks.get(token) ?? style.getPropertyValue(token);
      inks.set(token, known);
      return known;
    };
    const font = `11px ${style.fontFamily}`;
    paintRuler(pen, ruler, window, x, width, ink, font);
    paintTrack(pen, scene.replay, { buffered: scene.pictures.buffered(), skipping: scene.clock.skip }, track, x, ink);
    if (screens) paintScreens(pen, visits, screens, x, width, ink, font);
    lanes.forEach((lane, k) => paintLane(pen, lane, strips[k], window, width, ink));
    const rows = [...(screens ? [{ label: "Screens", ...screens }] : []), ...lanes.map((lane, k) => ({ label: lane.label, ...strips[k] }))];
    const named = [{ label: "", ...ruler }, { label: "", ...track }, ...rows];
    render(named.map(({ label }) => html`<span>${label}</span>`), labels);
    labels.style.setProperty("--rows", named.map((row) => `${row.height}px`).join(" "));
    drawZoom();
  }

  function drawZoom() {
    if (!parts || !scene) return;
    const { duration_ms } = scene.replay;
    const back = () => {
      whole = true;
      become({ from: 0, to: duration_ms });
    };
    const shown = isWhole(window, duration_ms)
      ? nothing
      : html`<button class="button quiet" type="button" @click=${back}>
          ${clockText(window.from)} to ${clockText(window.to)}, show all
        </button>`;
    render(shown, parts.zoom);
  }

  /** @param {Window} next */
  function become(next) {
    window = next;
    paintLater();
    paintNow();
  }

  function paintNow() {
    if (!parts || !scene) return;
    const { replay, clock } = scene;
    const at = x(clock.position_ms);
    parts.now.style.transform = `translateX(${at}px)`;
    parts.now.hidden = at < -1 || at > width + 1;
    const text = `${spokenDuration(clock.position_ms)} of ${spokenDuration(replay.duration_ms)}`;
    if (text === said) return;
    said = text;
    parts.slider.setAttribute("aria-valuemax", String(Math.floor(replay.duration_ms / 1000)));
    parts.slider.setAttribute("aria-valuenow", String(Math.floor(clock.position_ms / 1000)));
    parts.slider.setAttribute("aria-valuetext", text);
  }

  function paintCard() {
    if (!parts || !scene) return;
    parts.at.hidden = hovered === null;
    if (hovered === null) return card.hide();
    parts.at.style.transform = `translateX(${x(hovered)}px)`;
    const reach = (NEAR_PX / Math.max(width, 1)) * (window.to - window.from);
    card.show({ ...scene, lanes, visits, pictured: !scrubbing, t: hovered, reach_ms: reach, x: x(hovered) + parts.slider.offsetLeft });
  }

  /** @param {number | null} t */
  function hover(t) {
    hovered = t;
    hands.hover(t);
    paintCard();
  }

  /** @param {PointerEvent} event */
  function under(event) {
    return timeAt(event.clientX - (parts?.slider.getBoundingClientRect().left ?? 0));
  }

  /** @param {PointerEvent} event */
  function pressed(event) {
    if (event.button !== 0) return;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    scrubbing = true;
    hover(under(event));
    hands.scrub(under(event), "start");
  }

  /** @param {PointerEvent} event */
  function moved(event) {
    const t = under(event);
    if (event.pointerType === "mouse" || scrubbing) hover(t);
    if (scrubbing) hands.scrub(t, "move");
  }

  /** @param {PointerEvent} event */
  function released(event) {
    if (!scrubbing) return;
    scrubbing = false;
    hands.scrub(under(event), "end");
    if (event.pointerType !== "mouse") hover(null);
  }

  function left() {
    if (!scrubbing) hover(null);
  }

  /** @param {WheelEvent} event */
  function wheeled(event) {
    if (!scene) return;
    const { duration_ms } = scene.replay;
    const { left: edge } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    const across = event.deltaX || (event.shiftKey ? event.deltaY : 0);
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const next = zoomed(window, timeAt(event.clientX - edge), Math.exp(event.deltaY * ZOOM_PER_PX), duration_ms);
      whole = isWhole(next, duration_ms);
      become(next);
    } else if (across && !whole) {
      event.preventDefault();
      become(shifted(window, (across / Math.max(width, 1)) * (window.to - window.from), duration_ms));
    }
  }

  /** @param {KeyboardEvent} event */
  function typed(event) {
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const { clock, replay } = scene;
    const step = event.shiftKey ? SMALL_STEP_MS : STEP_MS;
    const target = {
      ArrowRight: clock.position_ms + step,
      ArrowUp: clock.position_ms + step,
      ArrowLeft: clock.position_ms - step,
      ArrowDown: clock.position_ms - step,
      PageUp: clock.position_ms + replay.duration_ms / 10,
      PageDown: clock.position_ms - replay.duration_ms / 10,
      Home: 0,
      End: replay.duration_ms,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    hands.seek(target);
  }

  return {
    draw: () => html`<div class="timeline" ${ref(mount)}></div>`,
    /** @param {Scene} next */
    show(next) {
      const before = scene;
      scene = next;
      if (before?.replay !== next.replay) {
        lanes = lanesOf(next.replay);
        visits = visitsOf(next.replay.tracks, next.replay.background, next.replay.duration_ms);
        if (whole) window = { from: 0, to: next.replay.duration_ms };
        paintLater();
      }
      if (before?.clock.skip !== next.clock.skip) paintLater();
      const kept = scrubbing ? window : showing(window, next.clock.position_ms, next.replay.duration_ms);
      if (kept !== window) become(kept);
      else paintNow();
    },
    /** A picture came or went. */
    pictured() {
      slowly ??= setTimeout(() => {
        slowly = undefined;
        paintLater();
      }, LOADED_MS);
      if (hovered !== null) paintCard();
    },
    close() {
      if (asked !== null) cancelAnimationFrame(asked);
      clearTimeout(slowly);
      sizes.disconnect();
      themes.disconnect();
      parts = null;
      scene = null;
    },
  };
}
