/**
 * A page, or part of one, with one thing to say.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { html } from "../vendor/lit-html/lit-html.js";

/** @param {string} title @param {TemplateResult} content */
export function notice(title, content) {
  return html`<section class="notice">
    <h1>${title}</h1>
    ${content}
  </section>`;
}
