/** Parts of forms. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { icon } from "./icons.js";

/** What is typed into the field that an event comes from. @param {Event} event */
export function typedIn(event) {
  return event.target instanceof HTMLInputElement ? event.target.value : "";
}

/** What is wrong; nothing for an empty text. @param {string} text */
export function problemLine(text) {
  return text ? html`<p class="problem">${icon("issue")}<span>${text}</span></p>` : nothing;
}
