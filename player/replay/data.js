/**
 * A session as the player works with it, from the answer of GET /api/v1/replays/{id}/timeline. Pure.
 *
 * @import { Stretch, Gap } from "./stretches.js"
 */

import { backgroundOf, fromPhone, gapsOf, inactiveOf } from "./stretches.js";

/**
 * Columns of one kind of row, by time. `t`: corrected ms since the session's start; `i`: place in the recording
 * (`index` of GET …/messages). The others are named in sessions/timeline.py.
 * @typedef {{t: number[], i: number[], [column: string]: any[]}} Columns
 */

/**
 * Pictures by time. `t`: corrected ms since the session's start; `name`: what the picture is called in its address,
 * its time by the device's clock, which no correction moves; `bytes`: size; `format`: index into `formats`; `same`: index of the first picture with the same content.
 * @typedef {{t: number[], name: number[], bytes: number[], format: number[], formats: string[], same: number[]}} Frames
 */

/** @typedef {{type: string, t: number, title: string, detail: Record<string, any>}} Issue */

/**
 * What is missing, in figures; times in ms since the session's start. See sessions/recording.py.
 * @typedef {{index_ranges: [number, number][], more_index_ranges: number, frame_gaps: [number, number][], cut_messages: number,
 *   messages: number, frames: number, late_parts: number, unreadable_parts: number}} Completeness
 */

/**
 * One session. Times are ms since its start, by the corrected clock, unless a name says otherwise.
 * @typedef {object} Replay
 * @property {any} meta the replay as in GET /api/v1/replays/{id}
 * @property {number} start_ms corrected time of t = 0, ms since the epoch
 * @property {number} offset_ms corrected = device + offset
 * @property {number} duration_ms
 * @property {boolean} live more may come
 * @property {Record<string, Columns>} tracks
 * @property {Frames} frames
 * @property {Issue[]} issues by time
 * @property {Completeness} completeness
 * @property {Stretch[]} background the app was not in front
 * @property {Gap[]} gaps pictures or everything is missing although the app was in front
 * @property {Stretch | null} pending of a live session, the last stretch: its pictures, or everything, may be on the way
 * @property {Stretch[]} inactive the user did nothing
 */

const MAX_MS = 253_402_300_799_999;
/** Pictures come in archives of up to 30, each taken up to a second after the one before. */
const PENDING_MS = 60_000;
const FORMATS = ["jpeg", "webp", "png", "avif"];

/**
 * The parsed answer as a Replay. The answer's columns are reused: it must not be used afterwards.
 * @param {any} answer
 * @returns {Replay}
 */
export function replayOf(answer) {
  const meta = answer.replay;
  const start_ms = meta.started_ms;
  const offset_ms = meta.clock_offset_ms ?? 0;
  const shift = offset_ms - start_ms;
  const tracks = answer.tracks ?? {};
  for (const track of Object.values(tracks)) rebase(track.t, shift);
  const frames = framesOf(answer.frames ?? {}, start_ms, offset_ms);
  const completeness = completenessOf(answer.completeness ?? {}, shift);
  const duration_ms = durationOf(meta, start_ms, tracks, frames.t);
  const background = backgroundOf(tracks, duration_ms);
  const live = meta.status === "live";
  const gaps = gapsOf(tracks, frames.t, background, duration_ms);
  const pending = live ? openGap(gaps, duration_ms) : null;
  return {
    meta,
    start_ms,
    offset_ms,
    duration_ms,
    live,
    tracks,
    frames,
    issues: (answer.issues ?? []).map((/** @type {Issue} */ issue) => ({ ...issue, t: issue.t + shift })),
    completeness,
    background,
    gaps: pending ? gaps.slice(0, -1) : gaps,
    pending,
    inactive: inactiveOf(tracks, duration_ms),
  };
}

/**
 * The last gap, if it lasts until now and is short enough to be explained by the SDKs' packing of pictures.
 * @param {Gap[]} gaps
 * @param {number} end_ms
 */
function openGap(gaps, end_ms) {
  const last = gaps.at(-1);
  return last && last.to >= end_ms && last.to - last.from < PENDING_MS ? { from: last.from, to: last.to } : null;
}

/**
 * A moment of the session on the phone's own clock, ms since the epoch.
 * @param {Replay} replay
 * @param {number} t
 */
export function deviceTime(replay, t) {
  return replay.start_ms + t - replay.offset_ms;
}

/**
 * A moment of the session on the server's clock, ms since the epoch.
 * @param {Replay} replay
 * @param {number} t
 */
export function correctedTime(replay, t) {
  return replay.start_ms + t;
}

/**
 * @param {number[]} times
 * @param {number} shift
 */
function rebase(times, shift) {
  for (let k = 0; k < times.length; k++) times[k] += shift;
}

/**
 * Of several pictures at one ms each later one has the next free ms, as on the server.
 * @param {any} sent
 * @param {number} start_ms
 * @param {number} offset_ms
 * @returns {Frames}
 */
function framesOf(sent, start_ms, offset_ms) {
  const device = sent.t ?? [];
  const name = new Array(device.length);
  const t = new Array(device.length);
  let last = -Infinity;
  for (let k = 0; k < device.length; k++) {
    const corrected = Math.min(Math.max(device[k] + offset_ms, -MAX_MS), MAX_MS);
    last = Math.max(last + 1, corrected);
    name[k] = last - offset_ms;
    t[k] = last - start_ms;
  }
  return {
    t,
    name,
    bytes: sent.bytes ?? [],
    format: sent.format ?? [],
    formats: sent.formats ?? FORMATS,
    same: sent.same ?? t.map((_, k) => k),
  };
}

/**
 * @param {any} sent
 * @param {number} shift
 * @returns {Completeness}
 */
function completenessOf(sent, shift) {
  return {
    index_ranges: sent.index_ranges ?? [],
    more_index_ranges: sent.more_index_ranges ?? 0,
    frame_gaps: (sent.frame_gaps ?? []).map((/** @type {[number, number]} */ [from, to]) => [from + shift, to + shift]),
    cut_messages: sent.cut_messages ?? 0,
    messages: sent.messages ?? 0,
    frames: sent.frames ?? 0,
    late_parts: sent.late_parts ?? 0,
    unreadable_parts: sent.unreadable_parts ?? 0,
  };
}

/**
 * The session's length; what was recorded counts as far as it can have happened before it arrived.
 * @param {any} meta
 * @param {number} start_ms
 * @param {Record<string, Columns>} tracks
 * @param {number[]} pictures
 */
function durationOf(meta, start_ms, tracks, pictures) {
  const arrived = (meta.received_ms ?? start_ms) - start_ms;
  let last = pictures.at(-1) ?? 0;
  for (const { t } of fromPhone(tracks)) last = Math.max(last, t.at(-1) ?? 0);
  return Math.max(meta.duration_ms, Math.min(last, arrived), 0);
}
