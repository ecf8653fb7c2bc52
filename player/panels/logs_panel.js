// What the app wrote to its output, and faults that the tracker told of itself.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { detail, facts, whenLoaded } from "./detail.js";
import { listPanel, marked } from "./list_panel.js";
import { perObject } from "./memo.js";
import { loadMessage } from "./messages.js";
import { recordedText } from "./recorded_text.js";
import { rowTime } from "./row_parts.js";
import { keyOf, kindOf, mergeTracks, textOf } from "./rows.js";
import { lineCount, oneLine, stripEscapes, visible } from "./safe_text.js";
import { TextSearch } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./list_panel.js").ListContent} ListContent */
/** @typedef {import("./messages.js").Message} Message */
/** @typedef {import("./rows.js").Rows} Rows */

const TRACKER = "tracker fault";
/** usual names of severities; others are shown as they came */
const COLORS = new Map([
  [TRACKER, "var(--bad)"],
  ["error", "var(--c-error)"],
  ["fatal", "var(--bad)"],
  ["warn", "var(--warn)"],
  ["warning", "var(--warn)"],
  ["info", "var(--c-network)"],
]);

const contentOf = perObject((/** @type {Replay} */ replay) => {
  const rows = mergeTracks(replay.tracks, ["logs", "errors"], deviceTime(replay, 0));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let row = 0; row < rows.count; row += 1) {
    const severity = severityOf(rows, row);
    counts.set(severity, (counts.get(severity) ?? 0) + 1);
  }
  const filters = [...counts]
    .sort(byWeight)
    .slice(0, 8)
    .map(([severity, count]) => ({
      id: severity,
      group: "severity",
      label: oneLine(severity || "no severity", 20),
      color: colorOf(severity),
      count,
      test: (/** @type {number} */ row) => severityOf(rows, row) === severity,
    }));
  const search = new TextSearch(rows.count, (row) => stripEscapes(textOf(rows, row, "content")));
  return { rows, search, filters };
});

/** @type {import("./panel_types.js").Panel} */
export const logsPanel = {
  id: "logs",
  title: "Logs",
  count: ({ tracks }) => (tracks.logs?.t.length ?? 0) + (tracks.errors?.t.length ?? 0),
  draw: listPanel({
    one: "line",
    many: "lines",
    none: "No output was recorded. On Android, trackers send it only when the app asks for it.",
    content: contentOf,
    draw: drawRow,
    detail: drawDetail,
    opened: (view, { rows }, row) => open(view, rows, row),
  }),
};

/**
 * @param {Rows} rows
 * @param {number} row
 */
function severityOf(rows, row) {
  return kindOf(rows, row) === "errors" ? TRACKER : textOf(rows, row, "severity");
}

/** @param {string} severity */
function colorOf(severity) {
  return COLORS.get(severity.toLowerCase()) ?? "var(--text-2)";
}

/**
 * Known severities in order of weight, then by count.
 * @param {[string, number]} a
 * @param {[string, number]} b
 */
function byWeight(a, b) {
  const names = [...COLORS.keys()];
  const rank = (/** @type {string} */ name) =>
    COLORS.has(name.toLowerCase()) ? names.indexOf(name.toLowerCase()) : names.length;
  return rank(a[0]) - rank(b[0]) || b[1] - a[1];
}

/**
 * @param {PanelView} view
 * @param {Rows} rows
 * @param {number} row
 */
function open(view, rows, row) {
  void loadMessage("logs", view, kindOf(rows, row), rows.place[row], keyOf(rows, row));
}

/**
 * @param {ListContent} content
 * @param {number} row
 * @param {string} query
 */
function drawRow({ rows }, row, query) {
  const severity = severityOf(rows, row);
  const content = stripEscapes(textOf(rows, row, "content"));
  const more = lineCount(content) - 1;
  return html`${rowTime(rows.t[row])}
    <span class="row-severity" ${styled({ "--kind": colorOf(severity) })}>${oneLine(severity, 14)}</span>
    <span class="row-text row-code"><span class="row-main">${marked(oneLine(content.trimEnd()), query)}</span></span>
    ${more > 0 ? html`<span class="badge">+${more} ${more === 1 ? "line" : "lines"}</span>` : nothing}`;
}

/**
 * @param {PanelView} view
 * @param {ListContent} content
 * @param {number} row
 * @param {() => void} close
 */
function drawDetail(view, { rows }, row, close) {
  const key = keyOf(rows, row);
  const severity = severityOf(rows, row);
  const content = whenLoaded(
    view.state.loaded,
    key,
    (/** @type {Message} */ { fields }) => logDetail(severity, String(fields.Content ?? "")),
    () => open(view, rows, row),
  );
  return detail(view, { title: severity || "Log", at_ms: rows.t[row], close, content });
}

/**
 * @param {string} severity
 * @param {string} content
 */
function logDetail(severity, content) {
  const plain = stripEscapes(content);
  return html`${facts([["Severity", severity]])}
  ${recordedText({ text: plain, label: "Content", note: plain === content ? "" : "without its terminal codes" })}
  ${
    plain === content
      ? nothing
      : html`<details class="detail-part">
          <summary>With its terminal codes</summary>
          <pre class="recorded">${visible(content)}</pre>
        </details>`
  }`;
}
