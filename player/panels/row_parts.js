// What rows of all lists have in common.

import { html } from "../vendor/lit-html/lit-html.js";
import { preciseClock } from "../draw/format.js";

/** Place in the session. @param {number} at_ms */
export function rowTime(at_ms) {
  return html`<span class="row-time numbers">${preciseClock(at_ms)}</span>`;
}
