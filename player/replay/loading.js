/**
 * What the replay page shows while, or instead of, a session.
 *
 * @import { ApiError } from "../api.js"
 */

import { notice } from "../draw/notice.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** In the head's place: what comes takes it without moving anything. */
export function headToCome() {
  return html`<header class="replay-head"><span class="blank"></span></header>`;
}

/**
 * @param {ApiError} problem
 * @param {string} back
 * @param {() => void} again
 */
export function failure(problem, back, again) {
  if (problem.status === 404) {
    return notice(
      "This session is not here",
      html`<p>
          It was deleted, its retention has ended, it is of a project that you do not see, or it has not been received
          yet.
        </p>
        <p><a class="button" href=${back}>All sessions</a> <button class="button" type="button" @click=${again}>Look again</button></p>`,
    );
  }
  return notice(
    "The session could not be loaded",
    html`<p>${problem.message}</p>
      <p><button class="button primary" type="button" @click=${again}>Try again</button> <a class="button" href=${back}>All sessions</a></p>`,
  );
}

/** In the panels' place. @param {() => void} again */
export function noPanels(again) {
  return html`<aside class="side side-missing" aria-label="Details">
    <p class="problem" role="alert">The panels could not be loaded.</p>
    <button class="button" type="button" @click=${again}>Reload the page</button>
  </aside>`;
}
