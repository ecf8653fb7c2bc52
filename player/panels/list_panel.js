// A panel that is a list: search, filters, rows in step with the playhead, detail of the selected one.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { classMap } from "../vendor/lit-html/directives/class-map.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { count, plural } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { styled } from "../draw/styled.js";
import { virtualList } from "../draw/virtual_list.js";
import { lastAt } from "../replay/search.js";
import { lastCall } from "./memo.js";
import { keyOf } from "./rows.js";
import { splitHits } from "./text_search.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./rows.js").Rows} Rows */
/** @typedef {import("./text_search.js").TextSearch} TextSearch */
/** @typedef {import("../draw/virtual_list.js").Range} Range */
/** @typedef {import("../vendor/lit-html/lit-html.js").TemplateResult} TemplateResult */
/**
 * One chip: rows of a `group` are kept when they pass any of its pressed chips.
 * @typedef {{id: string, group: string, label: string, color?: string, count: number, test: (row: number) => boolean}} Filter
 */
/** @typedef {{rows: Rows, search: TextSearch, filters: Filter[]}} ListContent made once per replay */
/** @typedef {{rows: Uint32Array, t: Float64Array}} Shown rows that pass search and filters, with their times */
/**
 * @typedef {object} ListKind
 * @property {string} one
 * @property {string} many
 * @property {string} none  said when there is not one
 * @property {(replay: Replay) => ListContent} content
 * @property {(content: ListContent, row: number, query: string, span: {from: number, to: number}, replay: Replay) => TemplateResult} draw
 *   span: the time of the rows that are seen
 * @property {(span: {from: number, to: number}) => TemplateResult} [head]
 * @property {(content: ListContent, row: number) => number} [begins]  when a row began, if not at its own time
 * @property {(view: PanelView, content: ListContent, row: number, close: () => void) => TemplateResult} detail
 * @property {(view: PanelView, content: ListContent, row: number) => void} [opened]  a row was selected
 */

/**
 * The drawing function of a list panel. State: query, on (ids of pressed chips), selected (key of a row), following.
 * @param {ListKind} kind
 * @returns {(view: PanelView) => TemplateResult}
 */
export function listPanel(kind) {
  const shownOf = lastCall(filterRows);
  const selectedOf = lastCall(rowOfKey);
  const listOf = lastCall(
    (
      /** @type {ListContent} */ content,
      /** @type {Shown} */ shown,
      /** @type {string} */ query,
      /** @type {Replay} */ replay,
    ) => listRows(kind, content, shown, query, replay),
  );
  return (view) => {
    const content = kind.content(view.replay);
    if (content.rows.count === 0) return html`<div class="panel-view"><p class="panel-empty">${kind.none}</p></div>`;
    const { query = "", on = NONE, selected = "", following = true } = view.state;
    const shown = shownOf(content, query, on);
    const chosen = selectedOf(content.rows, selected);
    const step = /** @type {const} */ ({ kind, view, content, shown, query, on });
    const close = () => view.set({ selected: "" });
    const drawn = html`<div class=${classMap({ "panel-view": true, "with-detail": chosen >= 0 })}>
      ${tools(step)}
      <div class="panel-body">
        ${
          shown.rows.length === 0
            ? html`<p class="panel-empty">No ${kind.one} matches. ${clearButton(view)}</p>`
            : virtualList({
                rows: listOf(content, shown, query, view.replay),
                label: `${kind.many}, ${count(shown.rows.length)}`,
                current: lastAt(shown.t, view.position_ms),
                selected: chosen < 0 ? -1 : exactAt(shown.rows, chosen),
                following,
                onSelect: (at) => select(step, at),
                onJump: (at) => jump(step, at),
                onFollow: (value) => view.set({ following: value }),
              })
        }
        ${chosen >= 0 ? kind.detail(view, content, chosen, close) : nothing}
      </div>
    </div>`;
    return html`${keyed(kind, drawn)}`;
  };
}

/**
 * A recorded text on one line with what was searched for marked.
 * @param {string} text made safe
 * @param {string} query
 */
export function marked(text, query) {
  if (query === "") return text;
  return splitHits(text, query).map((piece) => (piece.hit ? html`<mark>${piece.text}</mark>` : piece.text));
}

/** @typedef {{kind: ListKind, view: PanelView, content: ListContent, shown: Shown, query: string, on: string[]}} Step */

/** @type {string[]} */
const NONE = [];

/**
 * @param {ListContent} content
 * @param {string} query
 * @param {string[]} on
 * @returns {Shown}
 */
function filterRows({ rows, search, filters }, query, on) {
  const pressed = filters.filter((filter) => on.includes(filter.id));
  const groups = [...new Set(pressed.map((filter) => filter.group))].map((group) =>
    pressed.filter((filter) => filter.group === group),
  );
  const found = search.find(query.trim());
  const kept = groups.length
    ? found.filter((row) => groups.every((group) => group.some((filter) => filter.test(row))))
    : found;
  return { rows: kept, t: Float64Array.from(kept, (row) => rows.t[row]) };
}

/**
 * @param {Rows} rows
 * @param {string} key
 */
function rowOfKey(rows, key) {
  for (let row = 0; key !== "" && row < rows.count; row += 1) {
    if (keyOf(rows, row) === key) return row;
  }
  return -1;
}

/**
 * @param {Uint32Array} rows ascending
 * @param {number} row
 */
function exactAt(rows, row) {
  const at = lastAt(rows, row);
  return at >= 0 && rows[at] === row ? at : -1;
}

/**
 * @param {ListKind} kind
 * @param {ListContent} content
 * @param {Shown} shown
 * @param {string} query
 * @param {Replay} replay
 * @returns {import("../draw/virtual_list.js").ListRows}
 */
function listRows(kind, content, shown, query, replay) {
  const span = lastCall((/** @type {Range} */ seen) => spanOf(kind, content, shown, seen));
  const { head } = kind;
  return {
    count: shown.rows.length,
    draw: (at, seen) => kind.draw(content, shown.rows[at], query.trim(), span(seen), replay),
    head: head ? (seen) => head(span(seen)) : undefined,
  };
}

/**
 * The time of the rows that are seen.
 * @param {ListKind} kind
 * @param {ListContent} content
 * @param {Shown} shown
 * @param {Range} seen
 */
function spanOf({ begins }, content, shown, { first, last }) {
  let from = shown.t[first] ?? 0;
  for (let at = first; begins && at < last; at += 1) from = Math.min(from, begins(content, shown.rows[at]));
  return { from, to: shown.t[last - 1] ?? from };
}

/** @param {Step} step */
function tools(step) {
  const { kind, view, content, shown, query } = step;
  const all = shown.rows.length === content.rows.count;
  const said = all
    ? plural(content.rows.count, kind.one, kind.many)
    : `${count(shown.rows.length)} of ${plural(content.rows.count, kind.one, kind.many)}`;
  const input = (/** @type {Event} */ event) =>
    view.set({ query: /** @type {HTMLInputElement} */ (event.target).value });
  return html`<div class="panel-tools">
    <div class="panel-search">
      ${icon("search")}
      <input
        type="search"
        class="input"
        placeholder="Search"
        aria-label=${`Search ${kind.many}`}
        autocomplete="off"
        spellcheck="false"
        .value=${live(query)}
        @input=${input}
        @keydown=${(/** @type {KeyboardEvent} */ event) => searchKey(step, event)}
      />
      ${query === "" ? nothing : stepButtons(step)}
    </div>
    <span class="panel-count numbers" role="status">${said}</span>
    ${chips(step)}
  </div>`;
}

/** @param {Step} step */
function stepButtons(step) {
  return html`<button
      type="button"
      class="button quiet square small"
      aria-label="Previous match"
      @click=${() => jumpToMatch(step, -1)}
    >
      ${icon("chevron-up")}
    </button>
    <button
      type="button"
      class="button quiet square small"
      aria-label="Next match"
      @click=${() => jumpToMatch(step, 1)}
    >
      ${icon("chevron-down")}
    </button>`;
}

/** @param {Step} step */
function chips({ view, content, on }) {
  if (content.filters.length < 2) return nothing;
  const turn = (/** @type {string} */ id) =>
    view.set({ on: on.includes(id) ? on.filter((each) => each !== id) : [...on, id] });
  return html`<div class="chips" role="group" aria-label="Filter">
    ${content.filters.map(
      ({ id, label, count: number, color }) =>
        html`<button
          type="button"
          class=${color ? "chip" : "chip plain"}
          aria-pressed=${on.includes(id)}
          ${styled({ "--chip": color })}
          @click=${() => turn(id)}
        >
          ${label}<span class="chip-count numbers">${count(number)}</span>
        </button>`,
    )}
  </div>`;
}

/** @param {PanelView} view */
function clearButton(view) {
  return html`<button type="button" class="button small" @click=${() => view.set({ query: "", on: NONE })}>
    Show all
  </button>`;
}

/**
 * @param {Step} step
 * @param {KeyboardEvent} event
 */
function searchKey(step, event) {
  if (event.key === "Enter") jumpToMatch(step, event.shiftKey ? -1 : 1);
  else if (event.key === "Escape" && step.query !== "") step.view.set({ query: "" });
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/**
 * To the next match behind the selected row, or the playhead; round at the ends.
 * @param {Step} step
 * @param {1 | -1} way
 */
function jumpToMatch(step, way) {
  const { shown, view, content } = step;
  const length = shown.rows.length;
  if (length === 0) return;
  const chosen = exactAt(shown.rows, rowOfKey(content.rows, view.state.selected ?? ""));
  const from = chosen >= 0 ? chosen : lastAt(shown.t, view.position_ms) + (way < 0 ? 1 : 0);
  const at = (from + way + length) % length;
  select(step, at);
  jump(step, at);
}

/**
 * @param {Step} step
 * @param {number} at
 */
function select({ kind, view, content, shown }, at) {
  if (at < 0) return view.set({ selected: "" });
  const row = shown.rows[at];
  view.set({ selected: keyOf(content.rows, row) });
  kind.opened?.(view, content, row);
}

/**
 * @param {Step} step
 * @param {number} at
 */
function jump({ view, shown }, at) {
  view.set({ following: true });
  view.seek(shown.t[at]);
}
