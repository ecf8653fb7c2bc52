/**
 * One row of the list. Its link covers it, so that a middle click anywhere opens a new tab.
 *
 * @import { ReplayOut } from "../types.js"
 */

import { count, duration, shortCount, spokenDuration } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { issueNamed } from "../draw/issue_kinds.js";
import { styled } from "../draw/styled.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import * as describe from "./describe.js";

/** Name, and the part of its class that its cells have too. @type {readonly [string, string][]} */
export const COLUMNS = [
  ["Last screen", "poster"],
  ["User", "user"],
  ["Started", "time"],
  ["Duration", "duration"],
  ["Device", "device"],
  ["Country", "country"],
  ["App", "app"],
  ["Events", "events"],
  ["Issues", "issues"],
];
const MAX_BADGES = 3;

/**
 * @param {ReplayOut} replay
 * @param {{index: number, top_px: number, now_ms: number, pictured: boolean, active: boolean}} view
 *   pictured: its picture may be loaded now
 */
export function row(replay, { index, top_px, now_ms, pictured, active }) {
  const times = describe.times(replay, now_ms);
  const user = describe.userName(replay);
  const length = spokenDuration(replay.duration_ms);
  const version = describe.appVersion(replay);
  return html`<div
    class="row"
    role="row"
    aria-rowindex=${index + 2}
    data-index=${index}
    data-session=${replay.session_id}
    ?data-active=${active}
    ${styled({ transform: `translateY(${top_px}px)` })}
  >
    <div class="c-poster" role="cell">${poster(replay, pictured)}</div>
    <div class="c-user" role="cell">
      <a
        class="row-link ellipsis"
        href="/replays/${replay.session_id}"
        aria-label="${user}, ${times.own}, ${length}"
        >${user}</a
      >
      <span class="sub ellipsis">${describe.userDetail(replay)}</span>
    </div>
    <div class="c-time numbers" role="cell" title=${times.detail}>
      <time class="ellipsis" datetime=${isoOf(replay.started_ms)}>${times.own}</time>
      <span class="sub ellipsis">${times.device}</span>
    </div>
    <div class="c-duration numbers" role="cell">${duration(replay.duration_ms)}</div>
    <div class="c-device" role="cell" title=${replay.device.model}>
      <span class="ellipsis">${describe.deviceName(replay)}</span>
      <span class="sub ellipsis">${describe.system(replay)}<span class="app-here">${version && ` \u00b7 ${version}`}</span></span>
    </div>
    <div class="c-country" role="cell" title=${describe.fullPlace(replay)}>${country(replay)}</div>
    <div class="c-app numbers" role="cell"><span class="ellipsis">${version}</span></div>
    <div class="c-events numbers" role="cell" title=${describe.happenings(replay)}>
      ${shortCount(replay.counts.events)}<span class="unit">
        ${replay.counts.events === 1 ? "event" : "events"}</span
      >
    </div>
    <div class="c-issues" role="cell">${live(replay)}${badges(replay)}</div>
  </div>`;
}

/** @param {ReplayOut} replay @param {boolean} pictured */
function poster({ session_id, counts }, pictured) {
  return html`<span class="poster">
    ${
      counts.frames > 0 && pictured
        ? keyed(
            session_id,
            html`<img
              src="/api/v1/replays/${session_id}/poster"
              alt=""
              decoding="async"
              width="36"
              height="64"
              @load=${show}
            />`,
          )
        : nothing
    }
  </span>`;
}

/** A picture that cannot be had leaves its box empty. @param {Event} event */
function show(event) {
  if (event.target instanceof HTMLElement) event.target.dataset.loaded = "";
}

/** @param {ReplayOut} replay */
function country(replay) {
  const code = replay.geo.country;
  const name = describe.place(replay);
  if (!name) return nothing;
  return name === code
    ? html`<span class="ellipsis">${code}</span>`
    : html`<span class="country-code" aria-hidden="true">${code}</span
        ><span class="country-name ellipsis">${name}</span>`;
}

/** @param {ReplayOut} replay */
function live({ status }) {
  return status === "live" ? html`<span class="badge good live-mark">${icon("live")}Live</span>` : nothing;
}

/** @param {ReplayOut} replay */
function badges(replay) {
  const types = describe.issueTypes(replay);
  const shown = types.length > MAX_BADGES ? types.slice(0, MAX_BADGES - 1) : types;
  const hidden = types.slice(shown.length).map((type) => issueNamed(type).label);
  return html`${shown.map((type) => {
    const { label, icon: name, tone } = issueNamed(type);
    return html`<span class="badge ${tone}">${icon(name)}${label}</span>`;
  })}${hidden.length ? html`<span class="badge" title=${hidden.join(", ")}>+${count(hidden.length)}</span>` : nothing}`;
}

/** @param {number} ms */
function isoOf(ms) {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : nothing;
}
