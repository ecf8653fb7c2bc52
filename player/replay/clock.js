/**
 * Where playback is, as a function of what it was, of the session and of the screen's clock. Pure.
 *
 * @import { Replay } from "./data.js"
 */

import { firstAfter, firstFrom, lastAt } from "./search.js";
import { stretchAt } from "./stretches.js";

/**
 * @typedef {object} Clock
 * @property {number} position_ms session time
 * @property {boolean} playing
 * @property {number} speed session ms per real ms
 * @property {boolean} skip leave out what is inactive
 * @property {boolean} follow stay near the end of a live session
 * @property {number | null} at real time of the last tick, ms; null: none yet
 * @property {{from: number, to: number} | null} skipped what the last tick left out
 */

export const SPEEDS = [0.5, 1, 2, 4, 8, 16];
/** SDKs report every 5 s: who follows stays this far behind the newest data, so that playback does not stutter. */
export const LIVE_LAG_MS = 7_000;
/** Further behind than this, following jumps instead of playing on. */
export const LIVE_JUMP_MS = 45_000;
/** Pictures come less often than messages: following waits for them if they are not further behind. */
const PICTURES_LAG_MS = 35_000;
/** A screen that drew nothing for so long was hidden: playback waited. */
const HIDDEN_MS = 1_000;

/** @type {Clock} */
export const STOPPED = {
  position_ms: 0, playing: false, speed: 1, skip: false, follow: false, at: null, skipped: null,
};

/**
 * The clock after one frame of the screen at real time `now`.
 * @param {Clock} clock
 * @param {Replay} replay
 * @param {number} now
 * @returns {Clock}
 */
export function tick(clock, replay, now) {
  if (!clock.playing) return clock.at === null && !clock.skipped ? clock : { ...clock, at: null, skipped: null };
  const passed = clock.at === null || now - clock.at > HIDDEN_MS ? 0 : Math.max(0, now - clock.at);
  let position = clock.position_ms + passed * clock.speed;
  const idle = clock.skip && !clock.follow ? stretchAt(replay.inactive, position) : undefined;
  let skipped = null;
  if (idle && !(replay.live && idle.to >= replay.duration_ms)) {
    skipped = { from: position, to: idle.to };
    position = idle.to;
  }
  const end = clock.follow ? edgeOf(replay) : replay.duration_ms;
  const ended = position >= end;
  return {
    ...clock,
    position_ms: ended ? Math.max(end, clock.position_ms) : position,
    playing: !ended || replay.live,
    at: ended && !replay.live ? null : now,
    skipped,
  };
}

/**
 * Another moment; who seeks no longer follows.
 * @param {Clock} clock
 * @param {Replay} replay
 * @param {number} position_ms
 * @returns {Clock}
 */
export function seek(clock, replay, position_ms) {
  const position = Math.min(Math.max(position_ms, 0), replay.duration_ms);
  return { ...clock, position_ms: position, follow: false, skipped: null };
}

/**
 * Play or pause; played from the end, a session at rest begins again.
 * @param {Clock} clock
 * @param {Replay} replay
 * @returns {Clock}
 */
export function toggle(clock, replay) {
  if (clock.playing) return { ...clock, playing: false, follow: false, at: null, skipped: null };
  const again = !replay.live && clock.position_ms >= replay.duration_ms;
  return { ...clock, playing: true, at: null, position_ms: again ? 0 : clock.position_ms };
}

/**
 * Go to the newest data of a live session and stay there; who is nearer to it already does not go back.
 * @param {Clock} clock
 * @param {Replay} replay
 * @returns {Clock}
 */
export function follow(clock, replay) {
  const position_ms = Math.max(clock.position_ms, followFrom(replay));
  return { ...clock, position_ms, playing: true, speed: 1, follow: true, at: null, skipped: null };
}

/**
 * Where following waits for more: at the last picture, or at the last message if pictures are far behind or not taken.
 * @param {Replay} replay
 */
export function edgeOf({ frames, duration_ms }) {
  const pictured = frames.t.at(-1) ?? -Infinity;
  return duration_ms - pictured <= PICTURES_LAG_MS ? Math.min(pictured, duration_ms) : duration_ms;
}

/**
 * Where following begins.
 * @param {Replay} replay
 */
export function followFrom(replay) {
  return Math.max(0, edgeOf(replay) - LIVE_LAG_MS);
}

/**
 * The session has grown, or is at rest now: the position stays, unless following fell too far behind.
 * @param {Clock} clock
 * @param {Replay} replay the new state of it
 * @returns {Clock}
 */
export function grown(clock, replay) {
  if (!clock.follow) return clock;
  const behind = replay.duration_ms - clock.position_ms;
  const position = behind > LIVE_JUMP_MS ? followFrom(replay) : clock.position_ms;
  return { ...clock, position_ms: position, follow: replay.live };
}

/**
 * The next faster or slower speed.
 * @param {number} speed
 * @param {1 | -1} way
 */
export function otherSpeed(speed, way) {
  const place = SPEEDS.indexOf(speed) + way;
  return SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)];
}

/**
 * A speed by its text; the usual one for what is none.
 * @param {string} text
 */
export function knownSpeed(text) {
  return SPEEDS.find((speed) => String(speed) === text) ?? 1;
}

/**
 * The moment of the next or previous picture; the position itself if there is none.
 * @param {Replay} replay
 * @param {number} position_ms
 * @param {1 | -1} way
 */
export function pictureFrom(replay, position_ms, way) {
  const times = replay.frames.t;
  const place = way > 0 ? firstAfter(times, position_ms) : firstFrom(times, position_ms) - 1;
  return Math.max(0, times[place] ?? position_ms);
}

/**
 * The issue after or before a moment, if any. Going back, an issue that has only just begun counts as now.
 * @param {Replay} replay
 * @param {number} position_ms
 * @param {1 | -1} way
 */
export function issueFrom(replay, position_ms, way) {
  const times = replay.issues.map((issue) => issue.t);
  return replay.issues[way > 0 ? firstAfter(times, position_ms) : lastAt(times, position_ms - 1_000)];
}
