/**
 * Above the list: search, filters, order.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 * @import { Filters, Sort } from "./filters.js"
 */

import { icon } from "../draw/icons.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chipsOf } from "./chips.js";
import { SORTS, cleared, isFiltered } from "./filters.js";

/**
 * @typedef {object} Toolbar
 * @property {Filters} filters
 * @property {string} text  of the search field, which may be ahead of the filters
 * @property {boolean} busy
 * @property {string | null} openAt  the anchor of the open menu
 * @property {TemplateResult | typeof nothing} menu
 * @property {(text: string) => void} onText
 * @property {() => void} onSearch  at once
 * @property {(filters: Filters) => void} onFilters
 * @property {(anchor: string, from: HTMLElement) => void} onMenu
 */

/** @param {Toolbar} bar */
export function toolbar(bar) {
  return html`<div class="toolbar">
      ${search(bar)}
      <div class="anchor">
        ${opener(bar, "add", html`${icon("filter")}<span>Filter</span>`, "button")}
        ${bar.openAt === "add" ? bar.menu : nothing}
      </div>
      ${order(bar)}
    </div>
    ${chips(bar)}`;
}

/** @param {Toolbar} bar */
function search({ text, busy, onText, onSearch }) {
  /** @param {Event} event */
  const typed = (event) => event.target instanceof HTMLInputElement && onText(event.target.value);
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.key === "Enter") onSearch();
    else if (event.key === "Escape" && event.target instanceof HTMLElement) {
      if (text) onText("");
      else event.target.blur();
    } else return;
    event.preventDefault();
  };
  return html`<div class="search" role="search">
    ${icon("search")}
    <input
      class="input"
      id="search"
      type="search"
      aria-label="Search sessions"
      aria-keyshortcuts="/"
      placeholder="Search users, screens, events, errors…"
      maxlength="1000"
      autocomplete="off"
      spellcheck="false"
      .value=${live(text)}
      @input=${typed}
      @keydown=${pressed}
    />
    ${busy ? html`<span class="spinner"></span>` : text ? nothing : html`<kbd aria-hidden="true">/</kbd>`}
  </div>`;
}

/** @param {Toolbar} bar @param {string} anchor @param {TemplateResult} content @param {string} look */
function opener({ openAt, onMenu }, anchor, content, look) {
  /** @param {Event} event */
  const clicked = (event) => event.currentTarget instanceof HTMLElement && onMenu(anchor, event.currentTarget);
  return html`<button
    class="${look} menu-opener"
    type="button"
    data-anchor=${anchor}
    aria-haspopup="dialog"
    aria-expanded=${openAt === anchor}
    @click=${clicked}
  >
    ${content}
  </button>`;
}

/** @param {Toolbar} bar */
function order({ filters, onFilters }) {
  /** @param {Event} event */
  const changed = (event) => {
    if (event.target instanceof HTMLSelectElement)
      onFilters({ ...filters, sort: /** @type {Sort} */ (event.target.value) });
  };
  return html`<select class="select order" aria-label="Order" .value=${live(filters.sort)} @change=${changed}>
    ${SORTS.map(([sort, label]) => html`<option value=${sort} ?selected=${sort === filters.sort}>${label}</option>`)}
  </select>`;
}

/** @param {Toolbar} bar */
function chips(bar) {
  const { filters, onFilters, openAt, menu } = bar;
  const shown = chipsOf(filters);
  if (!shown.length) return nothing;
  return html`<ul class="filters" aria-label="Filters">
    ${repeat(
      shown,
      ({ name }) => name,
      (chip) =>
        html`<li class="filter anchor" data-filter=${chip.name}>
          ${opener(
            bar,
            chip.name,
            html`${icon(chip.field.icon)}<span class="muted">${chip.label} ${chip.relation}</span>
              <span class="ellipsis">${chip.value}</span>`,
            "filter-open",
          )}
          <button
            class="filter-remove"
            type="button"
            aria-label="Remove filter: ${chip.label} ${chip.relation} ${chip.value}"
            @click=${() => onFilters(chip.without)}
          >
            ${icon("close")}
          </button>
          ${openAt === chip.name ? menu : nothing}
        </li>`,
    )}
    ${
      isFiltered(filters)
        ? html`<li>
            <button class="button quiet" type="button" @click=${() => onFilters(cleared(filters))}>
              Clear all
            </button>
          </li>`
        : nothing
    }
  </ul>`;
}
