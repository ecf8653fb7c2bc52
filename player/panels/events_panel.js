// Everything that the user did and that happened to the app, in one list.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { icon } from "../draw/icons.js";
import { issueNamed } from "../draw/issue_kinds.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { detail, facts, whenLoaded } from "./detail.js";
import { KINDS, shownAs } from "./happenings.js";
import { listPanel, marked } from "./list_panel.js";
import { perObject } from "./memo.js";
import { loadEvent, loadMessage } from "./messages.js";
import { recordedText } from "./recorded_text.js";
import { rowTime } from "./row_parts.js";
import { keyOf, kindOf, mergeTracks, textOf, valueOf } from "./rows.js";
import { oneLine } from "./safe_text.js";
import { TextSearch } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./panel_types.js").Columns} Columns */
/** @typedef {import("./list_panel.js").ListContent} ListContent */
/** @typedef {import("./rows.js").Rows} Rows */
/** @typedef {import("./messages.js").Message} Message */

const contentOf = perObject((/** @type {Replay} */ replay) => {
  const rows = mergeTracks(
    { ...replay.tracks, issues: issueColumns(replay) },
    Object.keys(KINDS),
    deviceTime(replay, 0),
  );
  const kinds = Array.from({ length: rows.count }, (_, row) => shownAs(kindOf(rows, row), rows, row));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const filters = Object.keys(KINDS)
    .filter((kind) => counts.has(kind))
    .map((kind) => ({
      id: kind,
      group: "kind",
      label: KINDS[kind].label,
      color: KINDS[kind].color,
      count: counts.get(kind) ?? 0,
      test: (/** @type {number} */ row) => kinds[row] === kind,
    }));
  const search = new TextSearch(rows.count, (row) => {
    const { title, more, badge = "" } = KINDS[kinds[row]].words(rows, row);
    return `${KINDS[kinds[row]].one} ${title} ${more} ${textOf(rows, row, "label")} ${badge}`;
  });
  return { rows, search, filters };
});

/** @type {import("./panel_types.js").Panel} */
export const eventsPanel = {
  id: "events",
  title: "Events",
  count: ({ tracks, issues }) =>
    Object.keys(KINDS).reduce((sum, name) => sum + (tracks[name]?.t.length ?? 0), issues.length),
  draw: listPanel({
    one: "event",
    many: "events",
    none: "Nothing happened in this session that the tracker reported.",
    content: contentOf,
    draw: drawRow,
    detail: drawDetail,
    opened: (view, { rows }, row) => open(view, rows, row),
  }),
};

/**
 * @param {Replay} replay
 * @returns {Columns}
 */
function issueColumns({ issues }) {
  const by = (/** @type {"t" | "type" | "title" | "detail"} */ name) => issues.map((issue) => issue[name]);
  return {
    t: /** @type {number[]} */ (by("t")),
    i: issues.map((_, at) => at),
    type: by("type"),
    title: by("title"),
    detail: by("detail"),
  };
}

/**
 * @param {PanelView} view
 * @param {Rows} rows
 * @param {number} row
 */
function open(view, rows, row) {
  const track = kindOf(rows, row);
  const key = keyOf(rows, row);
  if (track === "collected") void loadEvent("events", view, textOf(rows, row, "id"), key);
  else if (track !== "issues") void loadMessage("events", view, track, rows.place[row], key);
}

/**
 * @param {ListContent} content
 * @param {number} row
 * @param {string} query
 */
function drawRow({ rows }, row, query) {
  const kind = KINDS[shownAs(kindOf(rows, row), rows, row)];
  const { title, more, badge } = kind.words(rows, row);
  return html`${rowTime(rows.t[row])}
    <span class="row-icon" ${styled({ "--kind": kind.color })} title=${kind.one}>${icon(kind.icon)}</span>
    <span class="visually-hidden">${kind.one}:</span>
    ${badge ? html`<span class="badge">${oneLine(badge, 24)}</span>` : nothing}
    <span class="row-text"
      ><span class="row-main">${marked(oneLine(title), query)}</span
      ><span class="row-more">${marked(oneLine(more), query)}</span></span
    >`;
}

/**
 * @param {PanelView} view
 * @param {ListContent} content
 * @param {number} row
 * @param {() => void} close
 */
function drawDetail(view, { rows }, row, close) {
  const track = kindOf(rows, row);
  const kind = KINDS[shownAs(track, rows, row)];
  const title = `${kind.one}: ${oneLine(kind.words(rows, row).title, 120)}`;
  const draw = track === "collected" ? eventDetail : fieldsDetail;
  const content =
    track === "issues"
      ? issueDetail(rows, row)
      : whenLoaded(view.state.loaded, keyOf(rows, row), draw, () => open(view, rows, row));
  return detail(view, { title, at_ms: rows.t[row], close, content });
}

/**
 * @param {Rows} rows
 * @param {number} row
 */
function issueDetail(rows, row) {
  const more = Object.entries(valueOf(rows, row, "detail") ?? {});
  return facts([
    ["Finding", issueNamed(textOf(rows, row, "type")).label],
    ["Title", textOf(rows, row, "title")],
    ...more.map(
      ([name, value]) =>
        /** @type {[string, string]} */ ([name, typeof value === "object" ? JSON.stringify(value) : String(value)]),
    ),
  ]);
}

/**
 * The fields of a message by their names on the wire; long texts and payloads below.
 * @param {Message} message
 */
function fieldsDetail({ name, fields }) {
  const all = Object.entries(fields);
  const long = all.filter(([key, value]) => isLong(key, value));
  const short = all.filter(([key, value]) => !isLong(key, value));
  return html`${facts([["Message", name], ...short.map(([key, value]) => /** @type {[string, string, boolean]} */ ([key, String(value), typeof value === "string"]))])}
  ${long.map(([key, value]) => recordedText({ text: String(value), label: key }))}`;
}

/**
 * An event of another collector, or word that it is not stored yet.
 * @param {Record<string, any>} event
 */
function eventDetail(event) {
  if (event.status === "pending") return html`<p class="muted">This event was taken, but is not stored yet.</p>`;
  return html`${facts([
    ["Source", event.source],
    ["Category", event.category],
    ["Name", event.name],
    ["User", event.user_id],
    ["Occurred, UTC", event.timestamp],
    ["Received, UTC", event.received_at],
    ["Event id", event.id, true],
  ])}
  ${recordedText({ text: JSON.stringify(event.data), label: "Data" })}`;
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function isLong(key, value) {
  return typeof value === "string" && value !== "" && (key === "Payload" || value.length > 200 || value.includes("\n"));
}
