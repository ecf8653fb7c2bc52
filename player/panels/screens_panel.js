// Screens in the order they were visited, or by the time spent on them.

import { html } from "../vendor/lit-html/lit-html.js";
import { duration, plural } from "../draw/format.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { detail, facts } from "./detail.js";
import { listPanel, marked } from "./list_panel.js";
import { perObject } from "./memo.js";
import { rowTime } from "./row_parts.js";
import { mergeTracks, textOf, valueOf } from "./rows.js";
import { oneLine } from "./safe_text.js";
import { timeByScreen, visitsOf } from "./screen_visits.js";
import { TextSearch } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./list_panel.js").ListContent} ListContent */

const MOST_SCREENS = 8;
const ENDED = {
  left: "it was left",
  next: "the next screen came",
  background: "the app went to the background",
  end: "the session ended",
};

const visited = perObject((/** @type {Replay} */ { tracks, background, duration_ms }) =>
  visitsOf(tracks, background, duration_ms),
);

const contentOf = perObject((/** @type {Replay} */ replay) => {
  const visits = visited(replay);
  const longest = visits.reduce((most, { from, to }) => Math.max(most, to - from), 1);
  const columns = {
    t: visits.map(({ from }) => from),
    i: visits.map((_, at) => at),
    screen: visits.map(({ screen }) => screen),
    view: visits.map(({ view }) => view),
    spent: visits.map(({ from, to }) => to - from),
    share: visits.map(({ from, to }) => (to - from) / longest),
    ended: visits.map(({ ended }) => ended),
  };
  const rows = mergeTracks({ visits: columns }, ["visits"], deviceTime(replay, 0));
  const search = new TextSearch(rows.count, (row) => `${textOf(rows, row, "screen")} ${textOf(rows, row, "view")}`);
  const filters = timeByScreen(visits)
    .slice(0, MOST_SCREENS)
    .map(({ screen, visits: count, total_ms }) => ({
      id: screen,
      group: "screen",
      label: `${oneLine(screen, 24)}, ${duration(total_ms)}`,
      count,
      test: (/** @type {number} */ row) => textOf(rows, row, "screen") === screen,
    }));
  return { rows, search, filters };
});

/** @type {import("./panel_types.js").Panel} */
export const screensPanel = {
  id: "screens",
  title: "Screens",
  count: (replay) => visited(replay).length,
  draw: listPanel({
    one: "visit",
    many: "visits",
    none: "The tracker told of no screens. Apps report them by their views, or by name.",
    content: contentOf,
    draw: drawRow,
    detail: drawDetail,
  }),
};

/**
 * @param {ListContent} content
 * @param {number} row
 * @param {string} query
 */
function drawRow({ rows }, row, query) {
  const share = valueOf(rows, row, "share");
  return html`${rowTime(rows.t[row])}
    <span class="row-text"
      ><span class="row-main">${marked(oneLine(textOf(rows, row, "screen") || "Unnamed"), query)}</span
      ><span class="row-more">${marked(oneLine(textOf(rows, row, "view")), query)}</span></span
    >
    <span class="row-bar" aria-hidden="true"><i ${styled({ width: `${Math.max(share * 100, 1)}%` })}></i></span>
    <span class="row-duration numbers">${duration(valueOf(rows, row, "spent"))}</span>`;
}

/**
 * @param {PanelView} view
 * @param {ListContent} content
 * @param {number} row
 * @param {() => void} close
 */
function drawDetail(view, { rows }, row, close) {
  const screen = textOf(rows, row, "screen");
  const known = timeByScreen(visited(view.replay)).find((each) => each.screen === screen);
  const content = facts([
    ["Screen", screen, true],
    ["View", textOf(rows, row, "view"), true],
    ["Visit", `${row + 1} of ${rows.count}`],
    [
      "Seen for",
      `${duration(valueOf(rows, row, "spent"))}, until ${ENDED[/** @type {keyof typeof ENDED} */ (valueOf(rows, row, "ended"))]}`,
    ],
    ["In all", `${duration(known?.total_ms ?? 0)} in ${plural(known?.visits ?? 0, "visit")}`],
  ]);
  return detail(view, { title: oneLine(screen, 120), at_ms: rows.t[row], close, content });
}
