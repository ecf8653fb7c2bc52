/**
 * From–to as it is typed, to filters and back. Pure.
 *
 * @import { Field } from "./fields.js"
 * @import { Filters } from "./filters.js"
 *
 * @typedef {{from: string, to: string}} Range  as typed; empty: open
 */

import { withDuration, withSpan } from "./filters.js";
import { lengthText, parseLength } from "./lengths.js";
import { localText, parseLocal } from "./local_time.js";

/** What is set, as text. @param {Field} field @param {Filters} filters @returns {Range} */
export function rangeOf(field, { from_ms, to_ms, min_duration_ms, max_duration_ms }) {
  const [from, to, text] =
    field.kind === "period" ? [from_ms, to_ms, localText] : [min_duration_ms, max_duration_ms, lengthText];
  return { from: from === null ? "" : text(from), to: to === null ? "" : text(to) };
}

/**
 * The filters with what is typed, or what is wrong with it.
 *
 * @param {Field} field @param {Filters} filters @param {Range} range
 * @returns {Filters | string}
 */
export function applied(field, filters, { from, to }) {
  const dated = field.kind === "period";
  const parse = dated ? parseLocal : parseLength;
  const least = from.trim() ? parse(from) : null;
  const most = to.trim() ? parse(to) : null;
  if ((from.trim() && least === null) || (to.trim() && most === null)) {
    return dated ? "That is no date and time." : "Lengths are like 90s, 1m 30s or 2:30.";
  }
  if (least !== null && most !== null && least > most)
    return dated ? "The end lies before the beginning." : "The longest is shorter than the shortest.";
  return dated ? withSpan(filters, { from_ms: least, to_ms: most }) : withDuration(filters, least, most);
}
