/** Which rows of a long list are near the window. Pure. */

/**
 * @typedef {{first: number, end: number}} Extent  rows from `first` to before `end`
 */

/**
 * @param {number} top_px  the list's upper edge, seen from the window's
 * @param {number} window_px  the window's height
 * @param {number} row_px
 * @param {number} rows  how many there are
 * @param {number} spare  rows more than seen, on both sides
 * @returns {Extent}
 */
export function extentOf(top_px, window_px, row_px, rows, spare) {
  const first = Math.floor(-top_px / row_px) - spare;
  const end = Math.ceil((window_px - top_px) / row_px) + spare;
  return { first: Math.min(Math.max(0, first), rows), end: Math.min(Math.max(0, end), rows) };
}

/**
 * Indexes of an extent, and one more wherever it is: the row that has the focus must not vanish under it.
 *
 * @param {Extent} extent
 * @param {number} kept
 * @param {number} rows
 */
export function indexesOf({ first, end }, kept, rows) {
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  if (kept >= 0 && kept < rows && (kept < first || kept >= end)) indexes.push(kept);
  return indexes;
}

/**
 * By how much to scroll so that a row is seen whole between two edges.
 *
 * @param {number} row_top
 * @param {number} row_px
 * @param {number} upper
 * @param {number} lower
 */
export function scrollStep(row_top, row_px, upper, lower) {
  if (row_top < upper) return row_top - upper;
  const under = row_top + row_px - lower;
  return under > 0 ? Math.min(under, row_top - upper) : 0;
}
