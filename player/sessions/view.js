/**
 * The list page as a function of its state.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 * @import { Context } from "../types.js"
 * @import { Filters } from "./filters.js"
 * @import { createFilterMenu } from "./filter_menu.js"
 * @import { State } from "./state.js"
 * @import { Start } from "../first_run/view.js"
 */

import { plural } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { notice } from "../draw/notice.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { firstRun } from "../first_run/view.js";
import { newProject } from "../first_run/new_project.js";
import { cleared, isFiltered, listAddress } from "./filters.js";
import { columnHeads, list, rowHeight, skeleton } from "./list.js";
import { menuView } from "./menu_view.js";
import { toolbar } from "./toolbar.js";

/**
 * @typedef {object} Actions
 * @property {(filters: Filters) => void} apply
 * @property {(text: string) => void} typed
 * @property {() => void} search
 * @property {ReturnType<typeof createFilterMenu>} menu
 * @property {() => void} showNew
 * @property {() => void} retry
 * @property {(id: string) => boolean} pictured
 * @property {(ids: string[]) => number[]} slots
 * @property {(patch: Partial<Start>) => void} start
 */

/** @param {State} state @param {Context} context @param {Actions} actions @returns {TemplateResult} */
export function sessionsView(state, context, actions) {
  const empty = state.phase === "ready" && !state.rows.all.length;
  if (empty && !isFiltered(state.filters)) return beginning(state, context, actions);
  return html`<section class="sessions" aria-label="Sessions">
    <h1 class="visually-hidden">Sessions</h1>
    ${wrong(state)}
    <div class="sessions-head">${head(state, actions)}${news(state, actions)}</div>
    ${body(state, actions)}
  </section>`;
}

/** @param {State} state */
function rowCount({ rows }) {
  return rows.cursor === null ? rows.all.length + 1 : -1;
}

/** @param {State} state @param {Actions} actions */
function head({ filters, text, menu, phase, rows }, actions) {
  return toolbar({
    filters,
    text,
    busy: phase === "loading" && rows.all.length > 0,
    openAt: menu?.anchor ?? null,
    menu: menu ? menuView(menu, filters, actions.menu) : nothing,
    onText: actions.typed,
    onSearch: actions.search,
    onFilters: actions.apply,
    onMenu: actions.menu.toggle,
  });
}

/** @param {State} state @param {Actions} actions */
function body(state, actions) {
  const { phase, rows, extent, active, narrow, now_ms, problem, more } = state;
  if (phase === "failed") return refused(state, actions);
  if (!rows.all.length) return phase === "loading" ? skeleton() : noMatch(state, actions);
  return html`<div
      class="table"
      role="table"
      aria-label="Sessions"
      aria-rowcount=${rowCount(state)}
      aria-busy=${phase === "loading"}
    >
      ${columnHeads()}
      ${list({ rows, extent, active, row_px: rowHeight(narrow), now_ms, ...actions })}
    </div>
    ${foot(rows.cursor !== null, more, problem?.message ?? "", actions.retry)}`;
}

/** @param {boolean} further @param {boolean} busy @param {string} problem @param {() => void} retry */
function foot(further, busy, problem, retry) {
  if (problem) {
    return html`<div class="foot" role="alert">
      <span>${problem}</span> <button class="button" type="button" @click=${retry}>Try again</button>
    </div>`;
  }
  return html`<div class="foot">
    ${further ? (busy ? html`<span class="spinner"></span> Loading more` : nothing) : "That is all."}
  </div>`;
}

/** @param {State} state @param {Actions} actions */
function news({ fresh, many }, { showNew }) {
  return html`<div class="news">
    ${
      fresh.length
        ? html`<button class="button primary" type="button" @click=${showNew}>
            ${icon("arrow-up")}${many ? "More than " : ""}${plural(fresh.length, "new session")}
          </button>`
        : nothing
    }
  </div>`;
}

/** @param {State} state */
function wrong({ wrong: problems, filters }) {
  if (!problems.length) return nothing;
  return html`<div class="wrong" role="alert">
    ${icon("info")}
    <div>
      <strong>Parts of the address were left out:</strong>
      <ul>
        ${problems.map((problem) => html`<li>${problem}</li>`)}
      </ul>
    </div>
    <a class="button" href=${listAddress(filters)}>Clean up</a>
  </div>`;
}

/** @param {State} state @param {Actions} actions */
function noMatch({ filters }, { apply }) {
  return notice(
    "No session matches",
    html`<p class="muted">Every filter must match. Take one away, or start over.</p>
      <button class="button primary" type="button" @click=${() => apply(cleared(filters))}>Clear filters</button>`,
  );
}

/** @param {State} state @param {Actions} actions */
function refused({ problem, filters }, { retry }) {
  if (problem?.status === 404 && filters.project) {
    return notice(
      "No such project",
      html`<p>There is no project “${filters.project}” that you may see. <a href="/">All sessions</a></p>`,
    );
  }
  const details = problem?.details.map(({ field, message }) => `${field}: ${message}`) ?? [];
  return notice(
    "The list could not be read",
    html`<p>${problem?.message ?? "Something went wrong."}</p>
      ${details.map((detail) => html`<p class="muted">${detail}</p>`)}
      <button class="button primary" type="button" @click=${retry}>Try again</button>`,
  );
}

/** No session at all yet. @param {State} state @param {Context} context @param {Actions} actions */
function beginning(state, context, actions) {
  const { projects, me } = context;
  if (!projects.length && me.admin) return newProject(state, context, actions);
  const project = projects.find(({ key }) => key === (state.filters.project ?? me.project)) ?? projects[0];
  return firstRun(state, project, context, actions);
}
