/** A button that puts a text on the clipboard and says so. */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { copyText } from "./clipboard.js";
import { icon } from "./icons.js";

/** @typedef {{text: string | (() => string), label: string, words?: string}} CopyOptions label: what is copied, for screen readers; words: beside the icon */

const SHOWN_MS = 1600;

class CopyButton extends HTMLElement {
  /** @type {CopyOptions | undefined} */
  #options;
  #said = "";
  /** @type {number | undefined} */
  #timer;

  connectedCallback() {
    this.#draw();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#said = "";
  }

  /** @param {CopyOptions} options */
  set options(options) {
    this.#options = options;
    this.#draw();
  }

  async #copy() {
    const { text = "" } = this.#options ?? {};
    const copied = await copyText(typeof text === "function" ? text() : text);
    this.#said = copied ? "Copied" : "Copying failed";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#said = "";
      this.#draw();
    }, SHOWN_MS);
    this.#draw();
  }

  #draw() {
    if (!this.#options || !this.isConnected) return;
    const { label, words } = this.#options;
    const look = words ? "button small" : "button quiet square small";
    const template = html`<button type="button" class=${look} aria-label=${label} title=${label} @click=${() => this.#copy()}>
        ${icon(this.#said === "Copied" ? "check" : "copy")}${words ?? nothing}
      </button>
      <span class="visually-hidden" role="status">${this.#said}</span>`;
    render(template, this);
  }
}

customElements.define("copy-button", CopyButton);

/** @param {CopyOptions} options */
export function copyButton(options) {
  return html`<copy-button .options=${options}></copy-button>`;
}
