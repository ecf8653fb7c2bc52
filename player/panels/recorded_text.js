// A recorded text of any size: JSON folds, the rest is lines; long ones are cut until all is asked for.

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../draw/copy_button.js";
import { bytes } from "../draw/format.js";
import { byteLength } from "./exchange.js";
import { parseJson, prettyJson } from "./json_text.js";
import { jsonTree } from "./json_tree.js";
import { lastCall } from "./memo.js";
import { stripEscapes, visible } from "./safe_text.js";

/** @typedef {{text: string, label: string, note?: string}} RecordedOptions label: what it is; note: what to know about it */

const CUT_CHARS = 20_000;

class RecordedText extends HTMLElement {
  /** @type {RecordedOptions} */
  #options = { text: "", label: "" };
  /** @type {ReadonlyMap<string, number>} */
  #shown = new Map();
  #raw = false;
  #all = false;
  #parsed = lastCall((/** @type {string} */ text) => (/^\s*[[{]/.test(text) ? parseJson(text) : undefined));
  #size = lastCall(byteLength);

  connectedCallback() {
    this.#draw();
  }

  /** @param {RecordedOptions} options */
  set options(options) {
    const same =
      options.text === this.#options.text &&
      options.label === this.#options.label &&
      options.note === this.#options.note;
    if (same) return;
    if (options.text !== this.#options.text) [this.#shown, this.#raw, this.#all] = [new Map(), false, false];
    this.#options = options;
    this.#draw();
  }

  #draw() {
    if (!this.isConnected) return;
    const { text, label, note } = this.#options;
    const json = this.#parsed(text);
    const facts = [json ? "JSON" : "", bytes(this.#size(text)), note ?? ""].filter(Boolean).join(" \u00b7 ");
    const template = html`<div class="recorded-head">
        <h4>${label}</h4>
        <span class="muted">${facts}</span>
        <span class="recorded-tools">
          ${json ? this.#modeButton() : nothing}
          ${copyButton({ text: () => (json && !this.#raw ? prettyJson(json) : text), label: `Copy ${label.toLowerCase()}` })}
        </span>
      </div>
      ${json && !this.#raw ? jsonTree(json, { shown: this.#shown, change: (path, shown) => this.#fold(path, shown) }) : this.#lines()}`;
    render(template, this);
  }

  #modeButton() {
    const turn = () => {
      this.#raw = !this.#raw;
      this.#draw();
    };
    return html`<button type="button" class="button small" aria-pressed=${this.#raw} @click=${turn}>As sent</button>`;
  }

  #lines() {
    const { text } = this.#options;
    const cut = !this.#all && text.length > CUT_CHARS;
    const showAll = () => {
      this.#all = true;
      this.#draw();
    };
    return html`<pre class="recorded" tabindex="0" aria-label=${this.#options.label}>
${visible(stripEscapes(cut ? text.slice(0, CUT_CHARS) : text))}</pre>
      ${
        cut
          ? html`<button type="button" class="button small" @click=${showAll}>
              Show all (${bytes(this.#size(text))})
            </button>`
          : nothing
      }`;
  }

  /**
   * @param {string} path
   * @param {number} shown
   */
  #fold(path, shown) {
    this.#shown = new Map([...this.#shown, [path, shown]]);
    this.#draw();
  }
}

customElements.define("recorded-text", RecordedText);

/** @param {RecordedOptions} options */
export function recordedText(options) {
  return html`<recorded-text .options=${options}></recorded-text>`;
}
