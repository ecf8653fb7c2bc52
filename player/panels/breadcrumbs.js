// What happened just before a moment: the last touches, screens, calls and lines.

import { duration } from "../draw/format.js";
import { addressOf } from "./address.js";
import { KINDS, shownAs } from "./happenings.js";
import { kindOf, mergeTracks, textOf, valueOf } from "./rows.js";
import { stripEscapes } from "./safe_text.js";
import { statusClass, statusWords } from "./status.js";

/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./panel_types.js").Columns} Columns */
/** @typedef {import("./rows.js").Rows} Rows */
/** @typedef {{t: number, kind: string, icon: import("../draw/icons.js").IconName, color: string, title: string, more: string}} Crumb */

const BEFORE_MS = 30_000;
const MOST = 60;
const TRACKS = ["taps", "swipes", "inputs", "views", "events", "network", "graphql", "logs"];

/**
 * The last rows before `at_ms`, by time; `more`: how many earlier ones of the same 30 s are left out.
 * @param {Replay} replay
 * @param {number} at_ms
 * @returns {{rows: Crumb[], more: number}}
 */
export function crumbsBefore({ tracks }, at_ms) {
  const recent = Object.fromEntries(
    TRACKS.filter((name) => tracks[name]).map((name) => [name, cut(tracks[name], at_ms)]),
  );
  const rows = mergeTracks(recent, TRACKS);
  const first = Math.max(0, rows.count - MOST);
  const crumbs = Array.from({ length: rows.count - first }, (_, at) => crumbOf(rows, first + at));
  return { rows: crumbs, more: first };
}

/**
 * Columns of the rows within the time before.
 * @param {Columns} columns
 * @param {number} at_ms
 * @returns {Columns}
 */
function cut(columns, at_ms) {
  const kept = columns.t.flatMap((t, place) => (t > at_ms - BEFORE_MS && t <= at_ms ? [place] : []));
  const named = Object.entries(columns).map(([name, values]) => [name, kept.map((place) => values[place])]);
  return Object.fromEntries(named);
}

/**
 * @param {Rows} rows
 * @param {number} row
 * @returns {Crumb}
 */
function crumbOf(rows, row) {
  const track = kindOf(rows, row);
  const t = rows.t[row];
  if (track === "network") {
    const status = valueOf(rows, row, "status");
    const { host, path } = addressOf(textOf(rows, row, "url"));
    const title = `${statusWords(status)} ${textOf(rows, row, "method")} ${path}`;
    return { t, kind: "Call", icon: "network", color: statusClass(status).color, title, more: host };
  }
  if (track === "graphql") {
    const title = `${textOf(rows, row, "operation_kind")} ${textOf(rows, row, "operation_name")}`;
    return {
      t,
      kind: "GraphQL",
      icon: "graphql",
      color: "var(--c-swipe)",
      title,
      more: duration(valueOf(rows, row, "duration")),
    };
  }
  if (track === "logs") {
    const severity = textOf(rows, row, "severity");
    const color = severity === "error" ? "var(--c-error)" : "var(--text-2)";
    return {
      t,
      kind: "Log",
      icon: "log",
      color,
      title: stripEscapes(textOf(rows, row, "content")).trim(),
      more: severity,
    };
  }
  const kind = KINDS[shownAs(track, rows, row)];
  const { title, more } = kind.words(rows, row);
  return { t, kind: kind.one, icon: kind.icon, color: kind.color, title, more };
}
