/** A button that puts a text on the clipboard and says so. */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
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

/**
 * Whether it is on the clipboard now. Pages that are not served over https (or from this machine) have no clipboard
 * of their own: there the text goes by way of a selection.
 *
 * @param {string} text
 */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/** @param {string} text */
function copySelection(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}
