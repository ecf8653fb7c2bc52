/**
 * The menu of filters as a function of its state.
 *
 * @import { Field } from "./fields.js"
 * @import { Filters } from "./filters.js"
 * @import { createFilterMenu } from "./filter_menu.js"
 * @import { Menu } from "./menu.js"
 * @import { Choice } from "./suggest.js"
 */

import { combobox } from "../draw/combobox.js";
import { count } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { valueText } from "./chips.js";
import { fieldsLike } from "./fields.js";
import { titleOf } from "./menu.js";
import { rangeEditor } from "./range_editor.js";
import { choices } from "./suggest.js";

/** The server counts the sessions of a value up to here. */
const COUNTED = 100;
const EDGE_PX = 8;

/** @typedef {ReturnType<typeof createFilterMenu>} Actions */

/** @param {Menu} menu @param {Filters} filters @param {Actions} actions */
export function menuView(menu, filters, actions) {
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    actions.shut({ focus: true });
  };
  /** @param {FocusEvent} event */
  const left = ({ currentTarget, relatedTarget }) => {
    if (!(currentTarget instanceof Element) || !(relatedTarget instanceof Element)) return;
    if (!currentTarget.contains(relatedTarget)) actions.shut({ focus: false });
  };
  const step = menu.field ? valueStep(menu, menu.field, filters, actions) : fieldStep(menu, actions);
  return html`<div
    class="menu card"
    role="dialog"
    aria-label=${titleOf(menu)}
    @keydown=${pressed}
    @focusout=${left}
  >
    ${keyed(titleOf(menu), html`<div class="menu-step" ${ref(settle)}>${step}</div>`)}
  </div>`;
}

/** A new step: the focus in its first control, the menu inside the window. @param {Element | undefined} step */
function settle(step) {
  queueMicrotask(() => {
    step?.querySelector("input")?.focus({ preventScroll: true });
    const menu = step?.closest(".menu");
    if (!(menu instanceof HTMLElement) || menu.style.translate) return;
    const beyond_px = menu.getBoundingClientRect().right + EDGE_PX - document.documentElement.clientWidth;
    if (beyond_px > 0) menu.style.translate = `${-beyond_px}px`;
  });
}

/** @param {Menu} menu @param {Actions} actions */
function fieldStep({ text, active }, { typed, patch, choose }) {
  const fields = fieldsLike(text);
  return combobox({
    id: "filter-field",
    label: "Filter by",
    placeholder: "Filter by…",
    text,
    options: fields.map(({ name, label, icon: shown }) => ({
      key: name,
      content: html`${icon(shown)}<span class="option-text">${label}</span>`,
    })),
    active: Math.min(active, fields.length - 1),
    say: "No filter of this name",
    onText: typed,
    onActive: (index) => patch({ active: index }),
    onTake: (index) => fields[index] && choose(fields[index]),
  });
}

/** @param {Menu} menu @param {Field} field @param {Filters} filters @param {Actions} actions */
function valueStep(menu, field, filters, actions) {
  const { range, problem } = menu;
  const isRange = field.kind === "period" || field.kind === "duration";
  const editor = isRange
    ? rangeEditor({
        field,
        filters,
        range,
        problem,
        onRange: (changed) => actions.patch({ range: changed, problem: "" }),
        onProblem: (said) => actions.patch({ problem: said }),
        onApply: actions.change,
      })
    : valueBox(menu, field, actions);
  return html`${heading(menu, field, actions)} ${editor}`;
}

/** @param {Menu} menu @param {Field} field @param {Actions} actions */
function valueBox(menu, field, { typed, patch, take, back }) {
  const options = choices(field, menu.found, menu.text);
  return combobox({
    id: "filter-value",
    label: titleOf(menu),
    placeholder: field.kind === "contains" ? "Part of it…" : "Search values…",
    text: menu.text,
    options: options.map((choice) => ({
      key: `${choice.own} ${choice.value}`,
      content: option(field, choice),
    })),
    active: Math.min(menu.active, options.length - 1),
    say: menu.problem || (menu.asking ? "Looking…" : "No values yet"),
    onText: typed,
    onActive: (index) => patch({ active: index }),
    onTake: (index) => take(options[index]?.value ?? menu.text.trim()),
    onBack: back,
  });
}

/** @param {Field} field @param {Choice} choice */
function option(field, { value, count: sessions, own }) {
  if (own) {
    const relation = field.kind === "contains" ? "contains" : "is";
    return html`<span class="option-text ellipsis"><span class="muted">${relation}</span> “${value}”</span>`;
  }
  return html`<span class="option-text clamped" title=${value}>${valueText(field.name, value)}</span>
    ${sessions ? html`<span class="muted numbers">${sessions < COUNTED ? count(sessions) : `${count(COUNTED)}+`}</span>` : nothing}`;
}

/** @param {Menu} menu @param {Field} field @param {Actions} actions */
function heading(menu, field, { back }) {
  const title = html`${icon(field.icon)}<span class="ellipsis">${titleOf(menu)}</span>`;
  if (menu.anchor !== "add") return html`<div class="menu-title">${title}</div>`;
  return html`<button class="menu-title" type="button" aria-label="${titleOf(menu)}: back to all filters" @click=${back}>
    ${icon("chevron-left")}${title}
  </button>`;
}
