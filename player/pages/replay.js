/**
 * One session.
 *
 * @import { Context, Page } from "../types.js"
 */

import { html } from "../vendor/lit-html/lit-html.js";

/** @param {Context} context @returns {Page} */
export function open({ params, title }) {
  title(`Session ${params.session_id}`);
  return { draw: () => html`<p>Session ${params.session_id}</p>`, close() {} };
}
