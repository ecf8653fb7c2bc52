/**
 * The session list.
 *
 * @import { Context, Page, ReplayOut } from "../types.js"
 */

import { createStore } from "../store.js";
import { html, render } from "../vendor/lit-html/lit-html.js";

/** @param {Context} context @returns {Page} */
export function open({ root, api, location, title }) {
  title("Sessions");
  const store = createStore({ replays: /** @type {ReplayOut[]} */ ([]) }, () => render(draw(), root));
  const draw = () =>
    html`<ul>
      ${store.state.replays.map((each) => html`<li><a href="/replays/${each.session_id}">${each.session_id}</a></li>`)}
    </ul>`;
  const project = new URLSearchParams(location.search).get("project");
  void api.get("/replays", { params: { project } }).then(({ replays }) => store.set({ replays }));
  return { draw, close: store.close };
}
