// Which rows of a long list lie where: rows of one height in a scroller that may be lower than all of them together.

/** Browsers stop laying out somewhere above this height (px). */
export const MAX_HEIGHT = 8_000_000;

/**
 * @typedef {{count: number, row: number, view: number}} Shape rows; height of one and of what is seen, px
 * @typedef {{first: number, last: number, top: number, seen: {first: number, last: number}}} Window
 *   rows to draw (last excluded) and where their first one lies in the scroller; `seen`: those not beside the view
 */

/** Height of the scroller's content. @param {Shape} shape */
export function contentHeight({ count, row }) {
  return Math.min(count * row, MAX_HEIGHT);
}

/**
 * Rows at a scroll position, with some more above and below.
 *
 * @param {Shape} shape
 * @param {number} scroll_px
 * @param {number} [spare]
 * @returns {Window}
 */
export function windowAt(shape, scroll_px, spare = 8) {
  const offset = offsetOf(shape, scroll_px);
  const seenFirst = Math.min(Math.max(0, Math.floor(offset / shape.row)), Math.max(0, shape.count - 1));
  const seenLast = Math.min(shape.count, Math.ceil((offset + shape.view) / shape.row));
  const first = Math.max(0, seenFirst - spare);
  const last = Math.min(shape.count, seenLast + spare);
  return { first, last, top: scroll_px - (offset - first * shape.row), seen: { first: seenFirst, last: seenLast } };
}

/**
 * Where to scroll so that a row is seen: nowhere if it is, else so that it lies at `share` of the view.
 *
 * @param {Shape} shape
 * @param {number} scroll_px
 * @param {number} index
 * @param {{share?: number, margin?: number}} [how] margin: px that must stay free above and below it
 */
export function scrollTo(shape, scroll_px, index, { share, margin = 0 } = {}) {
  const offset = offsetOf(shape, scroll_px);
  const top = index * shape.row;
  const bottom = top + shape.row;
  const room = Math.min(margin, Math.max(0, (shape.view - shape.row) / 2));
  if (top >= offset + room && bottom <= offset + shape.view - room) return scroll_px;
  const nearest = top < offset + room ? top - room : bottom + room - shape.view;
  return scrollOf(shape, share === undefined ? nearest : top - share * (shape.view - shape.row));
}

/** px of rows above the view. @param {Shape} shape @param {number} scroll_px */
function offsetOf(shape, scroll_px) {
  return Math.max(0, scroll_px) * ratio(shape);
}

/** The reverse, within the scroller. @param {Shape} shape @param {number} offset_px */
function scrollOf(shape, offset_px) {
  const most = Math.max(0, shape.count * shape.row - shape.view);
  return Math.min(Math.max(0, offset_px), most) / ratio(shape);
}

/** Rows pass so much faster than the scroller moves. @param {Shape} shape */
function ratio(shape) {
  const room = contentHeight(shape) - shape.view;
  return room > 0 ? (shape.count * shape.row - shape.view) / room : 1;
}
