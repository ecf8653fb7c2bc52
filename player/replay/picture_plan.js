/**
 * Which pictures are needed, most urgent first, from where playback is and where it goes. Pure.
 *
 * @import { Frames } from "./data.js"
 */

import { lastAt } from "./search.js";

/**
 * @typedef {object} View what the viewer does
 * @property {number} position_ms
 * @property {number} speed session ms per real ms
 * @property {boolean} playing
 * @property {boolean} scrubbing
 * @property {1 | -1} way where scrubbing goes
 */

/** @typedef {{decode: number[], fetch: number[]}} Plan names of pictures; what is decoded is fetched first */

/** Real time that is decoded ahead, and fetched ahead. */
const DECODED_MS = 1_500;
const FETCHED_MS = 12_000;
const MAX_FETCHED = 160;

/**
 * @param {Frames} frames
 * @param {View} view
 * @param {number} room how many decoded pictures there is memory for
 * @returns {Plan}
 */
export function planOf(frames, view, room) {
  const now = lastAt(frames.t, view.position_ms);
  if (view.playing && !view.scrubbing) return ahead(frames, view, now, room);
  const decode = near(frames, now, view.scrubbing ? view.way : 1, Math.min(room, view.scrubbing ? 8 : 7));
  return { decode, fetch: near(frames, now, view.way, view.scrubbing ? 40 : 24) };
}

/**
 * The name of a picture; equal pictures share the first one's.
 * @param {Frames} frames
 * @param {number} place
 */
export function nameOf(frames, place) {
  return frames.name[frames.same[place]];
}

/**
 * @param {Frames} frames
 * @param {View} view
 * @param {number} now
 * @param {number} room
 */
function ahead(frames, { position_ms, speed }, now, room) {
  const names = new Set(now >= 0 ? [nameOf(frames, now)] : []);
  const decoded_to = position_ms + Math.max(DECODED_MS * speed, DECODED_MS);
  const fetched_to = position_ms + Math.max(FETCHED_MS * speed, FETCHED_MS);
  let decode = 0;
  for (let k = Math.max(now, 0); k < frames.t.length && names.size < MAX_FETCHED; k++) {
    if (frames.t[k] > fetched_to) break;
    names.add(nameOf(frames, k));
    // the one after the last of the span is needed when it begins
    if (frames.t[k] <= decoded_to || decode < 2) decode = names.size;
  }
  const all = [...names];
  return { decode: all.slice(0, Math.min(decode, room)), fetch: all };
}

/**
 * The picture of now, then its neighbours by distance; two of three lie where the viewer is going.
 * @param {Frames} frames
 * @param {number} now
 * @param {1 | -1} way
 * @param {number} most
 */
function near(frames, now, way, most) {
  const names = new Set(now >= 0 ? [nameOf(frames, now)] : []);
  let onward = now;
  let back = now;
  const count = frames.t.length;
  while (names.size < most && (inside(onward + way, count) || inside(back - way, count))) {
    for (let k = 0; k < 2 && names.size < most; k++) {
      onward += way;
      if (inside(onward, count)) names.add(nameOf(frames, onward));
    }
    back -= way;
    if (inside(back, count) && names.size < most) names.add(nameOf(frames, back));
  }
  return [...names];
}

/** @param {number} place @param {number} count */
function inside(place, count) {
  return place >= 0 && place < count;
}
