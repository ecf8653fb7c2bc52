/**
 * The session list: its state, the address it follows, its keys. What it looks like is in sessions/view.js.
 *
 * @import { Context, Page } from "../types.js"
 * @import { Filters } from "../sessions/filters.js"
 */

import { plural } from "../draw/format.js";
import { onKeys } from "../draw/keyboard.js";
import { createFilterMenu } from "../sessions/filter_menu.js";
import { listAddress, parseFilters, searchOf } from "../sessions/filters.js";
import { NARROW } from "../sessions/list.js";
import { createLoader } from "../sessions/loader.js";
import { enter, leave, stamp } from "../sessions/places.js";
import { createScroller } from "../sessions/scroller.js";
import { createSlots } from "../sessions/slots.js";
import { initialState, loadedPart } from "../sessions/state.js";
import { createTyping } from "../sessions/typing.js";
import { sessionsView } from "../sessions/view.js";
import { createStore } from "../store.js";
import { render } from "../vendor/lit-html/lit-html.js";

const CLOCK_MS = 30_000;

/** @param {Context} context @returns {Page} */
export function open(context) {
  const { root, api, navigate, location, announce } = context;
  const asked = parseFilters(location.search);
  const narrow = matchMedia(NARROW);
  context.title("Sessions");

  const store = createStore(initialState(asked.filters, asked.problems, narrow.matches), () => {
    render(draw(), root);
    for (const act of afterwards.splice(0)) act();
    scroller.measure();
  });
  const loader = createLoader(api, store, (fresh) => announce(`${plural(fresh.length, "new session")}.`));
  const scroller = createScroller(root, store, loader.more, () =>
    stamp(entry, scrollY, store.state.rows.all.length),
  );
  const typing = createTyping(store, (filters, options) => go(filters, options));
  const menu = createFilterMenu({
    api,
    state: () => store.state,
    set: (changed) => store.set({ menu: changed }),
    apply,
  });
  const actions = {
    apply,
    typed: typing.typed,
    search: typing.now,
    menu,
    showNew,
    retry,
    pictured: scroller.pictured,
    slots: createSlots(),
    start,
  };
  /** What is to be done once the state is on the page. @type {(() => void)[]} */
  const afterwards = [];
  let entry = "";

  function draw() {
    return sessionsView(store.state, context, actions);
  }

  /** @param {Filters} filters @param {{replace: boolean}} [options] */
  function go(filters, options) {
    const address = listAddress(filters);
    if (address !== location.pathname + location.search) navigate(address, options);
  }

  /** @param {Filters} filters */
  function apply(filters) {
    typing.end();
    const { text, filters: now } = store.state;
    go(text.trim() === now.text ? filters : { ...filters, text: text.trim() });
  }

  function keepPlace() {
    const { phase, active } = store.state;
    if (entry && phase === "ready") leave(entry, { loaded: loadedPart(store.state), y: scrollY, active });
  }

  /** The address changed under the list. */
  function moved() {
    keepPlace();
    const { filters, problems } = parseFilters(location.search);
    const same = searchOf(filters) === searchOf(store.state.filters) && store.state.phase !== "failed";
    typing.arrived(filters.text);
    store.set({ wrong: problems, menu: null });
    if (same) entry = enter().id;
    else begin(filters);
  }

  /** On the way back the list as it was left, else from its top. @param {Filters} filters */
  function begin(filters) {
    const { id, place, y, rows } = enter();
    entry = id;
    if (place) {
      loader.resume(place.loaded);
      store.set({ active: place.active });
      afterwards.push(() => {
        scrollTo(0, place.y);
        scroller.focusActive();
      });
      return;
    }
    store.set({ active: -1 });
    void loader.load(filters, rows).then(() => {
      afterwards.push(() => scrollTo(0, y));
      store.set({ drawn: store.state.drawn + 1 });
      const { phase, rows: found } = store.state;
      if (phase === "ready")
        announce(`${found.cursor === null ? "" : "More than "}${plural(found.all.length, "session")}.`);
    });
  }

  function showNew() {
    const { rows, active } = store.state;
    const id = rows.all[active]?.session_id;
    loader.showNew();
    store.set({
      active: id === undefined ? -1 : store.state.rows.all.findIndex(({ session_id }) => session_id === id),
    });
    afterwards.push(() => scrollTo(0, 0));
  }

  function retry() {
    if (store.state.phase === "failed") begin(store.state.filters);
    else void loader.more();
  }

  /** @param {Partial<import("../first_run/view.js").Start>} patch */
  function start(patch) {
    store.set({ start: { ...store.state.start, ...patch } });
  }

  /** @param {number} step */
  function step(step) {
    if (!store.state.rows.all.length) return false;
    store.set({ active: scroller.stepped(step), drawn: store.state.drawn + 1 });
    afterwards.push(scroller.focusActive);
    return true;
  }

  /** @param {FocusEvent} event */
  function focused(event) {
    const row = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    if (row instanceof HTMLElement) store.set({ active: Number(row.dataset.index) });
  }

  const resized = () => store.set({ narrow: narrow.matches });
  const clock = setInterval(() => store.set({ now_ms: Date.now() }), CLOCK_MS);
  const endKeys = onKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    "/": () => root.querySelector("input")?.focus(),
    f: () => menu.open("add", root.querySelector("[data-anchor=add]")),
    n: () => store.state.fresh.length && showNew(),
    Escape: () => document.activeElement instanceof HTMLElement && document.activeElement.blur(),
  });
  narrow.addEventListener("change", resized);
  root.addEventListener("focusin", focused);
  begin(asked.filters);

  return {
    draw,
    moved,
    shortcuts: () => SHORTCUTS,
    close() {
      keepPlace();
      clearInterval(clock);
      endKeys();
      narrow.removeEventListener("change", resized);
      root.removeEventListener("focusin", focused);
      for (const each of [scroller, loader, menu, typing, store]) each.close();
    },
  };
}

/** @type {[string, string][]} */
const SHORTCUTS = [
  ["j ↓", "Next session"],
  ["k ↑", "Session before"],
  ["Enter", "Open it"],
  ["/", "Search"],
  ["f", "Add a filter"],
  ["n", "Show new sessions"],
];
