/**
 * The window over the list: which rows are near it, and moving it to the row that the keyboard is at.
 *
 * @import { Store } from "../store.js"
 * @import { State } from "./state.js"
 */

import { extentOf, scrollStep } from "./extent.js";
import { rowHeight } from "./list.js";
import { createPictures } from "./pictures.js";

const SPARE_ROWS = 6;
const AHEAD_ROWS = 30;

/**
 * @param {HTMLElement} root
 * @param {Store<State>} store
 * @param {() => void} more  asks for further rows
 * @param {() => void} rested  told when the window came to rest
 */
export function createScroller(root, store, more, rested) {
  const pictures = createPictures(nearIds, () => {
    store.set({ drawn: store.state.drawn + 1 });
    rested();
  });

  /** Further rows are asked for before the last one is seen. */
  function measure() {
    const { rows, extent, narrow, problem } = store.state;
    const top_px = root.querySelector(".rows")?.getBoundingClientRect().top;
    if (top_px === undefined) return;
    const found = extentOf(top_px, innerHeight, rowHeight(narrow), rows.all.length, SPARE_ROWS);
    if (found.first !== extent.first || found.end !== extent.end) {
      store.set({ extent: found });
      pictures.moved();
    }
    if (found.end + AHEAD_ROWS >= rows.all.length && !problem) more();
  }

  function nearIds() {
    const { rows, extent } = store.state;
    return rows.all.slice(extent.first, extent.end).map(({ session_id }) => session_id);
  }

  /** Where the list and its lower part begin, seen from the window. */
  function edges() {
    const top_px = root.querySelector(".rows")?.getBoundingClientRect().top ?? 0;
    const upper_px = Math.max(0, root.querySelector(".sessions-head")?.getBoundingClientRect().bottom ?? 0);
    return { top_px, upper_px, row_px: rowHeight(store.state.narrow) };
  }

  /**
   * The row that the keyboard goes to: from where it is if that is near, else the first one seen.
   *
   * @param {number} step
   */
  function stepped(step) {
    const { rows, active, extent } = store.state;
    const { top_px, upper_px, row_px } = edges();
    const isNear = active >= extent.first && active < extent.end;
    const wanted = isNear ? active + step : Math.ceil((upper_px - top_px) / row_px);
    return Math.min(Math.max(wanted, 0), rows.all.length - 1);
  }

  /** Shows the active row whole and gives it the focus; it must have been drawn. */
  function focusActive() {
    const { active } = store.state;
    if (active < 0) return;
    const { top_px, upper_px, row_px } = edges();
    const by = scrollStep(top_px + active * row_px, row_px, upper_px, innerHeight);
    if (by) scrollTo(0, scrollY + by);
    const link = root.querySelector(`[data-index="${active}"] a`);
    if (link instanceof HTMLElement) link.focus({ preventScroll: true });
  }

  addEventListener("scroll", measure, { passive: true });
  addEventListener("resize", measure);
  return {
    measure,
    stepped,
    focusActive,
    pictured: pictures.may,
    close() {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
      pictures.stop();
    },
  };
}
