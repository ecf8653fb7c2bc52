/** Lengths of time as people type them. Pure. */

/** @type {Record<string, number>} */
const UNITS = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/**
 * `90`, `90s`, `1m30s`, `2 min`, `1:30`, `1:02:03` in ms; null: not a length. A bare number is seconds.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function parseLength(text) {
  const typed = text.trim().toLowerCase().replace(",", ".");
  if (/^\d{1,3}(:[0-5]?\d){1,2}$/.test(typed)) {
    return typed.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;
  }
  if (/^\d{1,9}(\.\d+)?$/.test(typed)) return Math.round(Number(typed) * 1000);
  if (!/^(\d{1,9}(\.\d+)?\s*(ms|s|sec|m|min|h)\s*)+$/.test(typed)) return null;
  let sum = 0;
  for (const [, value, unit] of typed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g))
    sum += Number(value) * (UNITS[unit ?? ""] ?? 0);
  return Math.round(sum);
}

/** The shortest text that parseLength reads back. @param {number} ms */
export function lengthText(ms) {
  if (ms === 0) return "0s";
  const parts = [];
  let rest = ms;
  for (const unit of /** @type {const} */ (["h", "m", "s", "ms"])) {
    const size = UNITS[unit] ?? 1;
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.join(" ");
}
