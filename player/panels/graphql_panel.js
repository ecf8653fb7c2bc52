// GraphQL operations with their variables and answers.

import { html } from "../vendor/lit-html/lit-html.js";
import { duration } from "../draw/format.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { detail, facts, whenLoaded } from "./detail.js";
import { listPanel, marked } from "./list_panel.js";
import { perObject } from "./memo.js";
import { loadMessage } from "./messages.js";
import { recordedText } from "./recorded_text.js";
import { rowTime } from "./row_parts.js";
import { keyOf, mergeTracks, textOf, valueOf } from "./rows.js";
import { oneLine } from "./safe_text.js";
import { TextSearch } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./list_panel.js").ListContent} ListContent */
/** @typedef {import("./messages.js").Message} Message */

/** @type {Record<string, string>} */
const COLORS = { query: "var(--c-swipe)", mutation: "var(--c-event)", subscription: "var(--c-input)" };

const contentOf = perObject((/** @type {Replay} */ replay) => {
  const rows = mergeTracks(replay.tracks, ["graphql"], deviceTime(replay, 0));
  const kindAt = (/** @type {number} */ row) => textOf(rows, row, "operation_kind");
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let row = 0; row < rows.count; row += 1) counts.set(kindAt(row), (counts.get(kindAt(row)) ?? 0) + 1);
  const filters = [...counts].slice(0, 8).map(([kind, count]) => ({
    id: kind,
    group: "kind",
    label: oneLine(kind || "no kind", 20),
    color: colorOf(kind),
    count,
    test: (/** @type {number} */ row) => kindAt(row) === kind,
  }));
  const search = new TextSearch(rows.count, (row) => `${kindAt(row)} ${textOf(rows, row, "operation_name")}`);
  return { rows, search, filters };
});

/** @type {import("./panel_types.js").Panel} */
export const graphqlPanel = {
  id: "graphql",
  title: "GraphQL",
  count: (replay) => replay.tracks.graphql?.t.length ?? 0,
  draw: listPanel({
    one: "operation",
    many: "operations",
    none: "This app sent no GraphQL operations that the tracker saw.",
    content: contentOf,
    draw: drawRow,
    detail: drawDetail,
    opened: (view, { rows }, row) => void loadMessage("graphql", view, "graphql", rows.place[row], keyOf(rows, row)),
  }),
};

/** @param {string} kind */
function colorOf(kind) {
  return Object.hasOwn(COLORS, kind) ? COLORS[kind] : "var(--text-2)";
}

/**
 * @param {ListContent} content
 * @param {number} row
 * @param {string} query
 */
function drawRow({ rows }, row, query) {
  const kind = textOf(rows, row, "operation_kind");
  return html`${rowTime(rows.t[row])}
    <span class="row-severity" ${styled({ "--kind": colorOf(kind) })}>${oneLine(kind, 14)}</span>
    <span class="row-text"
      ><span class="row-main">${marked(oneLine(textOf(rows, row, "operation_name")), query)}</span></span
    >
    <span class="row-duration numbers">${duration(valueOf(rows, row, "duration"))}</span>`;
}

/**
 * @param {PanelView} view
 * @param {ListContent} content
 * @param {number} row
 * @param {() => void} close
 */
function drawDetail(view, { rows }, row, close) {
  const key = keyOf(rows, row);
  const title = `${textOf(rows, row, "operation_kind")} ${textOf(rows, row, "operation_name")}`;
  const content = whenLoaded(
    view.state.loaded,
    key,
    (/** @type {Message} */ { fields }) =>
      html`${facts([
        ["Operation", String(fields.OperationName), true],
        ["Kind", String(fields.OperationKind)],
        ["Duration", duration(Number(fields.Duration))],
      ])}
      ${recordedText({ text: String(fields.Variables), label: "Variables" })}
      ${recordedText({ text: String(fields.Response), label: "Response" })}`,
    () => void loadMessage("graphql", view, "graphql", rows.place[row], key),
  );
  return detail(view, { title: oneLine(title, 120), at_ms: rows.t[row], close, content });
}
