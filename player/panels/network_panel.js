// Network calls with a waterfall, and both sides of each on demand.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../draw/copy_button.js";
import { clock, duration } from "../draw/format.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { addressOf } from "./address.js";
import { curlOf } from "./curl.js";
import { detail, facts, whenLoaded } from "./detail.js";
import { exchangeOf } from "./exchange.js";
import { listPanel, marked } from "./list_panel.js";
import { perObject } from "./memo.js";
import { loadMessage } from "./messages.js";
import { recordedText } from "./recorded_text.js";
import { keyOf, mergeTracks, textOf, valueOf } from "./rows.js";
import { rowTime } from "./row_parts.js";
import { oneLine } from "./safe_text.js";
import { isFailure, statusClass, statusClasses, statusWords } from "./status.js";
import { TextSearch } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./list_panel.js").ListContent} ListContent */
/** @typedef {import("./messages.js").Message} Message */
/** @typedef {import("./list_panel.js").Filter} Filter */
/** @typedef {import("./exchange.js").Side} Side */
/** @typedef {import("./rows.js").Rows} Rows */

/** shortest bar, in shares of the lane */
const LEAST_BAR = 0.012;

const contentOf = perObject((/** @type {Replay} */ replay) => {
  const rows = mergeTracks(replay.tracks, ["network"], deviceTime(replay, 0));
  const search = new TextSearch(rows.count, (row) =>
    ["method", "url", "status"].map((column) => textOf(rows, row, column)).join(" "),
  );
  return { rows, search, filters: [...statusFilters(rows), ...methodFilters(rows)] };
});

/** @type {import("./panel_types.js").Panel} */
export const networkPanel = {
  id: "network",
  title: "Network",
  count: (replay) => replay.tracks.network?.t.length ?? 0,
  draw: listPanel({
    one: "call",
    many: "calls",
    none: "This session made no network calls that the tracker saw.",
    content: contentOf,
    draw: drawRow,
    head: (span) =>
      html`<span class="head-time">Time</span><span class="head-status">Status</span><span>Call</span>
        <span class="head-duration">Duration</span>
        <span class="lane-scale numbers"><span>${clock(span.from)}</span><span>${clock(span.to)}</span></span>`,
    begins: ({ rows }, row) => rows.t[row] - valueOf(rows, row, "duration"),
    detail: drawDetail,
    opened: (view, { rows }, row) => void loadMessage("network", view, "network", rows.place[row], keyOf(rows, row)),
  }),
};

/**
 * @param {Rows} rows
 * @returns {Filter[]}
 */
function statusFilters(rows) {
  const classes = statusClasses.map(({ id, label, color }) => ({
    id,
    label,
    color,
    group: "status",
    test: (/** @type {number} */ row) => statusClass(valueOf(rows, row, "status")).id === id,
  }));
  const errors = {
    id: "errors",
    label: "Errors",
    color: "var(--bad)",
    group: "status",
    test: (/** @type {number} */ row) => isFailure(valueOf(rows, row, "status")),
  };
  return [errors, ...classes]
    .map((filter) => ({ ...filter, count: countRows(rows, filter.test) }))
    .filter((filter) => filter.count > 0);
}

/**
 * @param {Rows} rows
 * @returns {Filter[]}
 */
function methodFilters(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let row = 0; row < rows.count; row += 1) {
    const method = textOf(rows, row, "method");
    counts.set(method, (counts.get(method) ?? 0) + 1);
  }
  if (counts.size < 2) return [];
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([method, count]) => ({
      id: `method ${method}`,
      label: oneLine(method || "no method", 12),
      group: "method",
      count,
      test: (row) => textOf(rows, row, "method") === method,
    }));
}

/**
 * @param {Rows} rows
 * @param {(row: number) => boolean} test
 */
function countRows(rows, test) {
  let found = 0;
  for (let row = 0; row < rows.count; row += 1) found += test(row) ? 1 : 0;
  return found;
}

/**
 * @param {ListContent} content
 * @param {number} row
 * @param {string} query
 * @param {{from: number, to: number}} span
 */
function drawRow({ rows }, row, query, span) {
  const { host, path, query: rest } = addressOf(textOf(rows, row, "url"));
  const status = valueOf(rows, row, "status");
  const took = valueOf(rows, row, "duration");
  return html`${rowTime(rows.t[row])}
    <span class="row-status numbers" ${styled({ "--status": statusClass(status).color })}>${statusWords(status)}</span>
    <span class="row-method">${marked(oneLine(textOf(rows, row, "method"), 12), query)}</span>
    <span class="row-text"
      ><span class="row-main">${marked(oneLine(path + rest), query)}</span
      ><span class="row-more row-host">${marked(oneLine(host), query)}</span></span
    >
    <span class="row-duration numbers">${duration(took)}</span>
    <span class="lane" aria-hidden="true"><i ${styled(barOf(rows.t[row], took, status, span))}></i></span>`;
}

/**
 * The bar of a call in the time that is seen; its message was sent when the call had ended.
 * @param {number} end_ms
 * @param {number} took_ms
 * @param {number} status
 * @param {{from: number, to: number}} span
 */
function barOf(end_ms, took_ms, status, { from, to }) {
  const width = Math.max(to - from, 1);
  const share = (/** @type {number} */ at) => Math.min(1, Math.max(0, (at - from) / width));
  const right = Math.max(share(end_ms), LEAST_BAR);
  const left = Math.min(share(end_ms - took_ms), right - LEAST_BAR);
  return { left: `${left * 100}%`, width: `${(right - left) * 100}%`, background: statusClass(status).color };
}

/**
 * @param {PanelView} view
 * @param {ListContent} content
 * @param {number} row
 * @param {() => void} close
 */
function drawDetail(view, { rows }, row, close) {
  const key = keyOf(rows, row);
  const method = textOf(rows, row, "method");
  const { path } = addressOf(textOf(rows, row, "url"));
  const again = () => void loadMessage("network", view, "network", rows.place[row], key);
  const content = whenLoaded(
    view.state.loaded,
    key,
    (/** @type {Message} */ { fields }) => exchangeDetail(exchangeOf(fields)),
    again,
  );
  return detail(view, { title: oneLine(`${method} ${path}`, 120), at_ms: rows.t[row], close, content });
}

/** @param {import("./exchange.js").Exchange} exchange */
function exchangeDetail(exchange) {
  const curl = curlOf(exchange);
  return html`<div class="detail-actions">
      ${
        curl.command
          ? copyButton({ text: curl.command, label: "Copy as curl", words: "Copy as curl" })
          : html`<span class="muted">No curl command: ${curl.problem}</span>`
      }
      ${copyButton({ text: exchange.url, label: "Copy address", words: "Copy address" })}
    </div>
    ${facts([
      ["Status", statusWords(exchange.status)],
      ["Duration", duration(exchange.duration_ms)],
      ["Method", exchange.method],
      ["Address", exchange.url],
    ])}
    ${side("Response", exchange.response)} ${side("Request", exchange.request)}`;
}

/**
 * @param {string} name
 * @param {Side} given
 */
function side(name, given) {
  return html`<section class="detail-part" aria-label=${name}>
    <h4 class="part-title">${name}</h4>
    ${
      given.headers.length > 0
        ? html`<h5 class="muted">Headers</h5>
            ${facts(given.headers.map(([header, value]) => [header, value]))}`
        : nothing
    }
    ${
      given.form === "empty"
        ? html`<p class="muted">
            ${given.headers.length > 0 ? "No body was recorded." : "Neither headers nor body were recorded."}
          </p>`
        : recordedText({ text: given.body, label: `${name} body`, note: noteOf(given) })
    }
  </section>`;
}

/** @param {Side} side */
function noteOf({ form, wrapped }) {
  const notes = {
    json: "",
    empty: "",
    text: "text",
    binary: "bytes that are no text",
    "cut json": "JSON that stops in the middle",
  };
  return [notes[form], wrapped ? "" : "as the tracker sent it"].filter(Boolean).join(", ");
}
