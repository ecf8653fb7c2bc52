// What happened in a session, in words: kinds of events with their icon and colour, a title and more for each row.

import { issueNamed } from "../draw/issue_kinds.js";
import { textOf, valueOf } from "./rows.js";
import { touchLabel } from "./touch_label.js";

/** @typedef {import("../draw/icons.js").IconName} IconName */
/** @typedef {import("./rows.js").Rows} Rows */
/**
 * `title` and `more`: the recording's words. `badge`: where it comes from, when not from the tracker.
 * @typedef {{title: string, more: string, badge?: string}} Words
 */
/**
 * @typedef {object} Kind
 * @property {string} label  of the filter
 * @property {string} one  of a row
 * @property {IconName} icon
 * @property {string} color
 * @property {(rows: Rows, row: number) => Words} words
 */

/** how Android tells of a screen */
const APPEARED = "viewAppeared";
const MASK = "\u2022\u2022\u2022\u2022\u2022\u2022";

/** @type {Record<string, Kind>} */
export const KINDS = {
  taps: kind("Taps", "Tap", "tap", "tap", (rows, row) => touched(textOf(rows, row, "label"))),
  swipes: kind("Swipes", "Swipe", "swipe", "swipe", (rows, row) => ({
    title: `Swipe ${textOf(rows, row, "direction")}`,
    more: touchLabel(textOf(rows, row, "label")).title,
  })),
  inputs: kind("Inputs", "Input", "input", "input", (rows, row) => ({
    title: valueOf(rows, row, "value_masked") ? MASK : textOf(rows, row, "value"),
    more: touchLabel(textOf(rows, row, "label")).title,
  })),
  views: kind("Screens", "Screen", "view", "view", screenWords),
  events: kind("Custom events", "Event", "event", "event", (rows, row) => ({
    title: textOf(rows, row, "name"),
    more: textOf(rows, row, "payload"),
  })),
  users: kind("User", "User", "user", "view", (rows, row) => ({ title: textOf(rows, row, "id"), more: "identified" })),
  anonymous: kind("Anonymous id", "Anonymous id", "user", "view", (rows, row) => ({
    title: textOf(rows, row, "id"),
    more: "anonymous id",
  })),
  metadata: kind("Metadata", "Metadata", "tag", "view", (rows, row) => ({
    title: `${textOf(rows, row, "key")} = ${textOf(rows, row, "value")}`,
    more: "",
  })),
  issues: kind("Issues", "Issue", "issue", "issue", (rows, row) => ({
    title: issueNamed(textOf(rows, row, "type")).label,
    more: textOf(rows, row, "title"),
  })),
  crashes: kind("Crashes", "Crash", "crash", "crash", (rows, row) => ({
    title: textOf(rows, row, "name"),
    more: textOf(rows, row, "reason"),
  })),
  collected: kind("Other collectors", "Collected event", "share", "event", (rows, row) => ({
    title: textOf(rows, row, "name"),
    more: textOf(rows, row, "category"),
    badge: textOf(rows, row, "source"),
  })),
};

/**
 * The kind that a row is shown as: Android's screens are custom events on the wire.
 * @param {string} track
 * @param {Rows} rows
 * @param {number} row
 */
export function shownAs(track, rows, row) {
  return track === "events" && valueOf(rows, row, "name") === APPEARED ? "views" : track;
}

/**
 * @param {string} label
 * @param {string} one
 * @param {IconName} icon
 * @param {string} color
 * @param {Kind["words"]} words
 * @returns {Kind}
 */
function kind(label, one, icon, color, words) {
  return { label, one, icon, color: `var(--c-${color})`, words };
}

/**
 * @param {string} label
 * @returns {Words}
 */
function touched(label) {
  const { title, detail } = touchLabel(label);
  return { title: title || "Unlabelled", more: detail };
}

/**
 * @param {Rows} rows
 * @param {number} row
 * @returns {Words}
 */
function screenWords(rows, row) {
  const payload = valueOf(rows, row, "payload");
  if (payload !== undefined) {
    const [screen, ...view] = String(payload).split(":");
    return { title: screen, more: view.join(":") };
  }
  const screen = textOf(rows, row, "screen") || textOf(rows, row, "view_name");
  return { title: screen, more: valueOf(rows, row, "visible") ? textOf(rows, row, "view_name") : "left" };
}
