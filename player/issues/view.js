/**
 * The list of issues as a function of its state.
 *
 * @import { ApiError } from "../api.js"
 * @import { IssueGroup } from "../types.js"
 * @import { Asked } from "./address.js"
 */

import { ago, count, dateTime, fullTime, plural } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { ISSUE_KINDS, issueNamed } from "../draw/issue_kinds.js";
import { notice } from "../draw/notice.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { SORTS, replayAddress } from "./address.js";

/**
 * @typedef {object} State
 * @property {Asked} asked
 * @property {"loading" | "ready" | "failed"} phase
 * @property {readonly IssueGroup[]} issues
 * @property {string | null} cursor  null: these are all
 * @property {boolean} more  a further page is on its way
 * @property {ApiError | null} problem
 * @property {number} now_ms
 *
 * @typedef {object} Actions
 * @property {(changed: Partial<Asked>) => void} ask
 * @property {() => void} more
 * @property {() => void} retry
 */

/** @param {State} state @param {Actions} actions */
export function issuesView(state, actions) {
  return html`<section class="issues" aria-labelledby="issues-title">
    <div class="issues-head">
      <h1 id="issues-title">Issues</h1>
      ${choice(
        "Kind",
        state.asked.type,
        { "": "Every kind", ...labels() },
        (type) => actions.ask({ type }),
      )}
      ${choice("Order", state.asked.sort, SORTS, (sort) =>
        actions.ask({ sort: sort === "most_sessions" ? sort : "newest" }),
      )}
    </div>
    ${body(state, actions)}
  </section>`;
}

function labels() {
  return Object.fromEntries(Object.entries(ISSUE_KINDS).map(([type, { label }]) => [type, label]));
}

/**
 * @param {string} name
 * @param {string} chosen
 * @param {Record<string, string>} values
 * @param {(value: string) => void} choose
 */
function choice(name, chosen, values, choose) {
  /** @param {Event} event */
  const changed = (event) => event.target instanceof HTMLSelectElement && choose(event.target.value);
  return html`<select class="select" aria-label=${name} .value=${live(chosen)} @change=${changed}>
    ${Object.entries(values).map(
      ([value, label]) => html`<option value=${value} ?selected=${value === chosen}>${label}</option>`,
    )}
  </select>`;
}

/** @param {State} state @param {Actions} actions */
function body(state, actions) {
  const { phase, issues, asked, problem } = state;
  if (phase === "failed") return refused(problem, asked, actions);
  if (!issues.length) return phase === "loading" ? html`<div class="foot"><span class="spinner"></span></div>` : none(asked);
  return html`<ul class="issue-rows" aria-label="Issues" aria-busy=${phase === "loading"}>
      ${repeat(
        issues,
        ({ fingerprint }) => fingerprint,
        (issue) => row(issue, state.now_ms),
      )}
    </ul>
    ${foot(state, actions)}`;
}

/** @param {IssueGroup} issue @param {number} now_ms */
function row(issue, now_ms) {
  const { label, icon: name, tone } = issueNamed(issue.type);
  return html`<li class="issue-row">
    <span class="badge ${tone}">${icon(name)}${label}</span>
    <h2 title=${issue.title}>${issue.title || "Without a title"}</h2>
    <dl class="issue-figures">
      ${figure("Times", issue.count)}${figure("Sessions", issue.sessions)}${figure("Users", issue.users)}
    </dl>
    <p class="issue-times sub">
      <span title=${fullTime(issue.last_seen_ms)}>Seen last ${ago(issue.last_seen_ms, now_ms)}</span>
      <span title=${fullTime(issue.first_seen_ms)}>first on ${dateTime(issue.first_seen_ms, { now_ms })}</span>
    </p>
    <div class="issue-replays">
      ${issue.replays.map(
        (sample) =>
          html`<a class="button" href=${replayAddress(sample)} aria-label="Watch it on ${dateTime(sample.at_ms, { now_ms })}"
            >${icon("play")}${dateTime(sample.at_ms, { now_ms })}</a
          >`,
      )}
    </div>
  </li>`;
}

/** @param {string} name @param {number} value */
function figure(name, value) {
  return html`<div>
    <dt>${name}</dt>
    <dd class="numbers">${count(value)}</dd>
  </div>`;
}

/** @param {State} state @param {Actions} actions */
function foot({ phase, cursor, more, problem, issues }, actions) {
  if (phase === "loading") return html`<div class="foot"><span class="spinner"></span></div>`;
  if (problem)
    return html`<div class="foot" role="alert">
      <span>${problem.message}</span>
      <button class="button" type="button" @click=${actions.more}>Try again</button>
    </div>`;
  if (cursor === null) return html`<div class="foot">${plural(issues.length, "issue")}. That is all.</div>`;
  return html`<div class="foot">
    <button class="button" type="button" aria-disabled=${more} @click=${actions.more}>
      ${more ? html`<span class="spinner"></span>` : nothing} Show more
    </button>
  </div>`;
}

/** @param {Asked} asked */
function none({ type, project }) {
  const all = project ? `/issues?project=${encodeURIComponent(project)}` : "/issues";
  return notice(
    type ? `No issue of this kind` : "No issue was found",
    html`<p class="muted">
        Crashes, an app that does not respond, tap rage, bursts of network errors and slow screens are looked for when a
        session has ended.
      </p>
      ${type ? html`<a class="button primary" href=${all}>Every kind</a>` : nothing}`,
  );
}

/** @param {ApiError | null} problem @param {Asked} asked @param {Actions} actions */
function refused(problem, { project }, actions) {
  if (problem?.status === 404 && project)
    return notice("No such project", html`<p>There is no project “${project}” that you may see. <a href="/issues">Issues</a></p>`);
  return notice(
    "The issues could not be read",
    html`<p>${problem?.message ?? "Something went wrong."}</p>
      <button class="button primary" type="button" @click=${actions.retry}>Try again</button>`,
  );
}
