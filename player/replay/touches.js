/**
 * Which touches show at a moment and how far they have got. Pure: nothing is drawn here.
 *
 * @import { Columns, Replay } from "./data.js"
 */

import { firstFrom } from "./search.js";

/** @typedef {{x: number, y: number, age: number, still: boolean}} Tap age: 0 just now … 1 gone */
/** @typedef {{x: number, y: number, dx: number, dy: number, age: number, still: boolean}} Swipe ends at x, y; dx, dy: where to */
/** @typedef {{label: string, text: string, masked: boolean, t: number}} Typed */

/** Real time that a touch is seen. */
export const TAP_MS = 800;
export const SWIPE_MS = 900;
/** Of it a swipe takes this share to happen: it is reported when the finger has left. */
const TYPED_MS = 3_000;
const DIRECTIONS = /** @type {Record<string, [number, number]>} */ ({
  left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1],
});

/**
 * @typedef {object} Moment
 * @property {number} position_ms
 * @property {number} speed
 * @property {boolean} playing paused, a touch stands still as long as the picture before it
 */

/**
 * @param {Replay} replay
 * @param {Moment} moment
 * @returns {Tap[]}
 */
export function tapsAt(replay, moment) {
  return recent(replay.tracks.taps, moment, TAP_MS, ({ x, y }, k, age) => ({
    x: x[k], y: y[k], age, still: !moment.playing,
  }));
}

/**
 * @param {Replay} replay
 * @param {Moment} moment
 * @returns {Swipe[]}
 */
export function swipesAt(replay, moment) {
  return recent(replay.tracks.swipes, moment, SWIPE_MS, ({ x, y, direction }, k, age) => {
    const [dx, dy] = Object.hasOwn(DIRECTIONS, direction[k]) ? DIRECTIONS[direction[k]] : [0, 0];
    return { x: x[k], y: y[k], dx, dy, age, still: !moment.playing };
  });
}

/**
 * What was typed last, while its caption shows. The SDKs report a text when its editing ends.
 * @param {Replay} replay
 * @param {Moment} moment
 * @returns {Typed | null}
 */
export function typedAt(replay, moment) {
  const found = recent(replay.tracks.inputs, moment, TYPED_MS, ({ t, label, value, value_masked }, k) => ({
    label: label[k], text: value[k], masked: Boolean(value_masked[k]), t: t[k],
  }));
  return found.at(-1) ?? null;
}

/**
 * Rows that happened within the last `real_ms` of watching, oldest first.
 * @template T
 * @param {Columns | undefined} columns
 * @param {Moment} moment
 * @param {number} real_ms
 * @param {(columns: Columns, place: number, age: number) => T} make
 * @returns {T[]}
 */
function recent(columns, { position_ms, speed, playing }, real_ms, make) {
  if (!columns) return [];
  const span = real_ms * (playing ? Math.max(speed, 1) : 1);
  /** @type {T[]} */
  const found = [];
  for (let k = firstFrom(columns.t, position_ms - span); k < columns.t.length && columns.t[k] <= position_ms; k++) {
    found.push(make(columns, k, (position_ms - columns.t[k]) / span));
  }
  return found;
}
