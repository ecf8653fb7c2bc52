/**
 * A modal dialog on the platform's own <dialog>: focus stays inside, Esc closes, focus goes back where it was.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { html } from "../vendor/lit-html/lit-html.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { icon } from "./icons.js";

/** A drawing tells of its elements before they are in the document. @param {Element | undefined} element */
function show(element) {
  if (!(element instanceof HTMLDialogElement) || element.open) return;
  if (element.isConnected) element.showModal();
  else queueMicrotask(() => element.isConnected && !element.open && element.showModal());
}

/**
 * @param {string} title
 * @param {TemplateResult} content
 * @param {() => void} close  called once it is closed, however that came
 */
export function dialog(title, content, close) {
  /** @param {MouseEvent} event */
  const beside = (event) => {
    if (event.target instanceof HTMLDialogElement) event.target.close();
  };
  /** @param {MouseEvent} event */
  const button = (event) => {
    if (event.target instanceof Element) event.target.closest("dialog")?.close();
  };
  return html`<dialog class="dialog" aria-labelledby="dialog-title" ${ref(show)} @close=${close} @click=${beside}>
    <div class="dialog-body">
      <header>
        <h2 id="dialog-title">${title}</h2>
        <button class="button quiet square" type="button" aria-label="Close" @click=${button}>
          ${icon("close")}
        </button>
      </header>
      ${content}
    </div>
  </dialog>`;
}
