/**
 * Stretches of time in a session: in the background, without data, without the user doing anything. Pure.
 */

/** @typedef {{from: number, to: number}} Stretch ms of session time, `from` < `to` */
/** @typedef {Stretch & {kind: "pictures" | "all"}} Gap what is missing: pictures alone, or everything */
/** @typedef {Record<string, {t: number[], [column: string]: any[]}>} Tracks */

/** Pictures further apart than this, and than four usual intervals, are a gap. */
export const PICTURE_GAP_MS = 5_000;
/** Both SDKs report something at least every 10 s while the app is in front. */
export const SILENCE_MS = 12_000;
/** The user did nothing for this long. */
export const INACTIVE_MS = 8_000;
/** What stays of an inactive stretch at its two ends, so that an action is seen to come and to work. */
export const LEAD_IN_MS = 1_000;
export const LEAD_OUT_MS = 2_500;

const USER_TRACKS = ["taps", "swipes", "inputs", "views", "events", "crashes"];

/**
 * When the app was not in front: from `background` = 1 to the next 0, or to the end.
 * @param {Tracks} tracks
 * @param {number} end_ms
 * @returns {Stretch[]}
 */
export function backgroundOf(tracks, end_ms) {
  const { t = [], name = [], value = [] } = tracks.performance ?? {};
  /** @type {Stretch[]} */
  const found = [];
  let since = NaN;
  for (let k = 0; k < t.length; k++) {
    if (name[k] !== "background") continue;
    if (value[k] && Number.isNaN(since)) since = t[k];
    if (!value[k] && !Number.isNaN(since)) {
      if (t[k] > since) found.push({ from: since, to: t[k] });
      since = NaN;
    }
  }
  if (since < end_ms) found.push({ from: since, to: end_ms });
  return found;
}

/**
 * When pictures, or everything, is missing although the app was in front.
 * @param {Tracks} tracks
 * @param {number[]} pictures times of the pictures; none: only gaps of everything are told
 * @param {Stretch[]} background
 * @param {number} end_ms
 * @returns {Gap[]}
 */
export function gapsOf(tracks, pictures, background, end_ms) {
  const times = [pictures, ...fromPhone(tracks).map((track) => track.t)];
  const silent = subtract(holes(merged(times), SILENCE_MS, end_ms), background, SILENCE_MS);
  const limit = Math.max(PICTURE_GAP_MS, 4 * usualInterval(pictures));
  const bare = pictures.length ? subtract(holes(pictures, limit, end_ms), background, limit) : [];
  const gaps = [
    ...silent.map((each) => ({ ...each, kind: /** @type {const} */ ("all") })),
    ...subtract(bare, silent, PICTURE_GAP_MS).map((each) => ({ ...each, kind: /** @type {const} */ ("pictures") })),
  ];
  return gaps.sort((a, b) => a.from - b.from);
}

/**
 * What "skip inactivity" leaves out: nothing was touched, typed, shown or reported by the app.
 * @param {Tracks} tracks
 * @param {number} end_ms
 * @returns {Stretch[]}
 */
export function inactiveOf(tracks, end_ms) {
  const times = merged(USER_TRACKS.map((name) => tracks[name]?.t ?? []));
  return holes(times, INACTIVE_MS, end_ms)
    .map(({ from, to }) => ({
      from: from > 0 ? from + LEAD_OUT_MS : 0,
      to: to < end_ms ? to - LEAD_IN_MS : end_ms,
    }))
    .filter(({ from, to }) => to > from);
}

/**
 * Times that are further apart than `limit_ms`; the session's start and end count as times.
 * @param {ArrayLike<number>} times ascending
 * @param {number} limit_ms
 * @param {number} end_ms
 * @returns {Stretch[]}
 */
export function holes(times, limit_ms, end_ms) {
  /** @type {Stretch[]} */
  const found = [];
  let before = 0;
  for (let k = 0; k <= times.length; k++) {
    const t = k < times.length ? Math.min(times[k], end_ms) : end_ms;
    if (t - before > limit_ms) found.push({ from: before, to: t });
    if (t > before) before = t;
  }
  return found;
}

/**
 * `from` without `others`; what is left of a stretch counts if it is longer than `limit_ms`.
 * @param {Stretch[]} from by time
 * @param {Stretch[]} others by time, not overlapping
 * @param {number} limit_ms
 * @returns {Stretch[]}
 */
export function subtract(from, others, limit_ms) {
  /** @type {Stretch[]} */
  const left = [];
  let first = 0;
  for (const each of from) {
    while (first < others.length && others[first].to <= each.from) first++;
    let start = each.from;
    for (let k = first; k < others.length && others[k].from < each.to; k++) {
      if (others[k].from - start > limit_ms) left.push({ from: start, to: others[k].from });
      start = Math.max(start, others[k].to);
    }
    if (each.to - start > limit_ms) left.push({ from: start, to: each.to });
  }
  return left;
}

/**
 * The stretch that `t` lies in, if any.
 * @template {Stretch} S
 * @param {S[]} stretches by time, not overlapping
 * @param {number} t
 * @returns {S | undefined}
 */
export function stretchAt(stretches, t) {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (stretches[middle].to <= t) low = middle + 1;
    else high = middle;
  }
  const found = stretches[low];
  return found && found.from <= t ? found : undefined;
}

/**
 * Tracks of what the phone itself recorded; `collected` is what other collectors heard of the same user.
 * @template C
 * @param {Record<string, C>} tracks
 */
export function fromPhone({ collected: _, ...tracks }) {
  return Object.values(tracks);
}

/** @param {ArrayLike<number>} times the middle interval, ms; 0 for less than two */
function usualInterval(times) {
  const intervals = Float64Array.from({ length: Math.max(0, times.length - 1) }, (_, k) => times[k + 1] - times[k]);
  return intervals.sort()[intervals.length >> 1] ?? 0;
}

/** @param {ArrayLike<number>[]} columns */
function merged(columns) {
  const all = new Float64Array(columns.reduce((sum, times) => sum + times.length, 0));
  let end = 0;
  for (const times of columns) {
    all.set(times, end);
    end += times.length;
  }
  return all.sort();
}
