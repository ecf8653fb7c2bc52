/**
 * Which stretch of a session the timeline shows: all of it, or closer. Pure.
 *
 * @typedef {{from: number, to: number}} Window ms of session time
 */

/** The closest look. */
export const MIN_SPAN_MS = 4_000;

/**
 * The window `factor` times as wide around a moment that stays where it is.
 * @param {Window} window
 * @param {number} t
 * @param {number} factor
 * @param {number} duration_ms
 * @returns {Window}
 */
export function zoomed(window, t, factor, duration_ms) {
  const span = window.to - window.from;
  const wanted = Math.min(Math.max(span * factor, Math.min(MIN_SPAN_MS, duration_ms)), duration_ms);
  const share = span ? (t - window.from) / span : 0;
  return shifted({ from: t - wanted * share, to: t + wanted * (1 - share) }, 0, duration_ms);
}

/**
 * The window moved by so many ms, within the session.
 * @param {Window} window
 * @param {number} by_ms
 * @param {number} duration_ms
 * @returns {Window}
 */
export function shifted({ from, to }, by_ms, duration_ms) {
  const span = Math.min(to - from, duration_ms);
  const start = Math.min(Math.max(from + by_ms, 0), duration_ms - span);
  return { from: start, to: start + span };
}

/**
 * The window moved so that a moment is in it; the same object if it is.
 * @param {Window} window
 * @param {number} t
 * @param {number} duration_ms
 * @returns {Window}
 */
export function showing(window, t, duration_ms) {
  if (t >= window.from && t <= window.to) return window;
  const span = window.to - window.from;
  return shifted(window, t - 0.1 * span - window.from, duration_ms);
}

/**
 * Whether the whole session shows.
 * @param {Window} window
 * @param {number} duration_ms
 */
export function isWhole({ from, to }, duration_ms) {
  return from <= 0 && to >= duration_ms;
}
