/** The text of `datetime-local` fields, in the viewer's zone. Pure but for the zone. */

/** @param {number} ms @returns {string} to the minute; empty outside the years 0 to 9999 */
export function localText(ms) {
  const at = new Date(ms);
  const year = at.getFullYear();
  if (!(year >= 0 && year <= 9999)) return "";
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${String(year).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** @param {string} text @returns {number | null} ms since the epoch; null: no time */
export function parseLocal(text) {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/.test(text) ? new Date(text).getTime() : NaN;
  return Number.isNaN(ms) ? null : ms;
}
