/**
 * The overlay with the keys of a page.
 *
 * @import { Shortcut } from "../types.js"
 */

import { html } from "../vendor/lit-html/lit-html.js";
import { dialog } from "./dialog.js";

/** @type {Shortcut[]} */
const EVERYWHERE = [
  ["?", "This help"],
  ["Esc", "Close what is open"],
];

/**
 * @param {Shortcut[]} shortcuts  of the page; keys that are pressed one or the other way are separated by blanks
 * @param {() => void} close
 */
export function help(shortcuts, close) {
  const rows = [...shortcuts, ...EVERYWHERE].map(
    ([keys, meaning]) =>
      html`<div>
        <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt>
        <dd>${meaning}</dd>
      </div>`,
  );
  return dialog(
    "Keyboard",
    html`<dl class="keys">${rows}</dl>
      <p class="hint">
        Everything else is in <a href="/docs" target="_blank" rel="noopener">the API's description</a>.
      </p>`,
    close,
  );
}
