/**
 * Where the reader was in a list, for the way back: the rows in this tab's memory, by an id in the entry of the
 * history; after a reload only how far down it was.
 *
 * @import { Loaded } from "./loader.js"
 */

/** @typedef {{loaded: Loaded, y: number, active: number}} Place  y: scrolled by, px */

const MAX_PLACES = 6;

/** @type {Map<string, Place>} */
const places = new Map();

/**
 * Arriving at an entry of the history.
 *
 * @returns {{id: string, place: Place | null, y: number, rows: number}} y and rows: from before a reload
 */
export function enter() {
  const found = history.state?.list;
  if (typeof found?.id !== "string") {
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    history.replaceState({ ...history.state, list: { id } }, "");
    return { id, place: null, y: 0, rows: 0 };
  }
  return {
    id: found.id,
    place: places.get(found.id) ?? null,
    y: Number(found.y) || 0,
    rows: Number(found.rows) || 0,
  };
}

/** @param {string} id @param {Place} place */
export function leave(id, place) {
  places.delete(id);
  places.set(id, place);
  for (const oldest of places.keys()) {
    if (places.size <= MAX_PLACES) break;
    places.delete(oldest);
  }
}

/** How far down the reader is, for a reload. @param {string} id @param {number} y @param {number} rows */
export function stamp(id, y, rows) {
  if (history.state?.list?.id === id) history.replaceState({ ...history.state, list: { id, y, rows } }, "");
}
