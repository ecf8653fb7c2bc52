/**
 * The rows near the window, out of as many as there are.
 *
 * @import { Extent } from "./extent.js"
 * @import { Rows } from "./rows.js"
 */

import { styled } from "../draw/styled.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { guard } from "../vendor/lit-html/directives/guard.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { indexesOf } from "./extent.js";
import { COLUMNS, row } from "./row.js";

export const NARROW = "(max-width: 899px)";
const ROW_PX = 72;
const CARD_PX = 116;
const SKELETONS = 14;

/** The height of a row, which style/sessions.css gives it too. @param {boolean} narrow */
export function rowHeight(narrow) {
  return narrow ? CARD_PX : ROW_PX;
}

export function columnHeads() {
  return html`<div class="heads" role="row" aria-rowindex="1">
    ${COLUMNS.map(([name, part]) => html`<span role="columnheader" class="h-${part}">${name}</span>`)}
  </div>`;
}

/**
 * @param {object} view
 * @param {Rows} view.rows
 * @param {Extent} view.extent
 * @param {number} view.active  index of the row that the keyboard is at; -1: none
 * @param {number} view.row_px
 * @param {number} view.now_ms
 * @param {(id: string) => boolean} view.pictured
 * @param {(ids: string[]) => number[]} view.slots
 */
export function list({ rows, extent, active, row_px, now_ms, pictured, slots }) {
  const indexes = indexesOf(extent, active, rows.all.length).filter((index) => rows.all[index]);
  const slot = slots(indexes.map((index) => rows.all[index]?.session_id ?? ""));
  return html`<div class="rows" role="rowgroup" ${styled({ height: `${rows.all.length * row_px}px` })}>
    ${repeat(
      indexes,
      (_, place) => slot[place],
      (index) => {
        const replay = rows.all[index];
        if (!replay) return nothing;
        const isActive = index === active;
        const isPictured = pictured(replay.session_id);
        const view = { index, top_px: index * row_px, now_ms, pictured: isPictured, active: isActive };
        return guard([replay, index, row_px, now_ms, isPictured, isActive], () => row(replay, view));
      },
    )}
  </div>`;
}

export function skeleton() {
  return html`<div class="skeleton" aria-hidden="true">
    ${Array.from({ length: SKELETONS }, () => html`<div><span></span><span></span><span></span><span></span></div>`)}
  </div>`;
}
