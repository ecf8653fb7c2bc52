/**
 * A text field with a list of proposals (ARIA's editable combobox with a listbox): arrows move through the list while
 * the focus stays in the field, Enter takes, a click takes.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { typedIn } from "./fields.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";

/**
 * @typedef {object} Option
 * @property {string} key
 * @property {TemplateResult | string} content
 *
 * @typedef {object} Combobox
 * @property {string} id  of the field; the list is `${id}-list`
 * @property {string} label
 * @property {string} text  what is typed
 * @property {readonly Option[]} options
 * @property {number} active  index of the option that Enter takes; -1: none
 * @property {string} [placeholder]
 * @property {string} [say]  in place of an empty list
 * @property {boolean} [invalid]
 * @property {(text: string) => void} onText
 * @property {(active: number) => void} onActive
 * @property {(index: number) => void} onTake  -1: the text itself
 * @property {() => void} [onBack]  Backspace in the empty field
 */

/** @param {Combobox} box */
export function combobox(box) {
  const { id, label, text, options, active, placeholder = "", say = "", invalid = false } = box;
  const list = `${id}-list`;
  return html`<input
      class="input"
      id=${id}
      type="text"
      role="combobox"
      aria-label=${label}
      aria-expanded=${options.length > 0}
      aria-controls=${list}
      aria-autocomplete="list"
      aria-activedescendant=${active >= 0 && active < options.length ? `${list}-${active}` : nothing}
      aria-invalid=${invalid}
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      maxlength="1000"
      placeholder=${placeholder}
      .value=${live(text)}
      @input=${(/** @type {InputEvent} */ event) => box.onText(typedIn(event))}
      @keydown=${(/** @type {KeyboardEvent} */ event) => pressed(event, box)}
    />
    <ul class="options" id=${list} role="listbox" aria-label=${label} @mousedown=${keepFocus}>
      ${repeat(
        options,
        ({ key }) => key,
        (option, index) =>
          html`<li
            class="option"
            id=${`${list}-${index}`}
            role="option"
            aria-selected=${index === active}
            ${index === active ? ref(reveal) : nothing}
            @click=${() => box.onTake(index)}
            @mousemove=${() => index !== active && box.onActive(index)}
          >
            ${option.content}
          </li>`,
      )}
    </ul>
    ${options.length || !say ? nothing : html`<p class="hint options-say" role="status">${say}</p>`}`;
}

/** @param {KeyboardEvent} event @param {Combobox} box */
function pressed(event, { options, active, text, onActive, onTake, onBack }) {
  if (event.isComposing) return;
  const last = options.length - 1;
  const moves = /** @type {Record<string, number>} */ ({
    ArrowDown: active < last ? active + 1 : 0,
    ArrowUp: active > 0 ? active - 1 : last,
    PageDown: Math.min(last, active + 8),
    PageUp: Math.max(0, active - 8),
  });
  if (event.key in moves && last >= 0) onActive(moves[event.key] ?? 0);
  else if (event.key === "Enter") onTake(active);
  else if (event.key === "Backspace" && text === "" && onBack) onBack();
  else return;
  event.preventDefault();
}

/** @param {Event} event */
function keepFocus(event) {
  event.preventDefault();
}

/** @param {Element | undefined} element */
function reveal(element) {
  element?.scrollIntoView({ block: "nearest" });
}
