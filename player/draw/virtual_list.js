/**
 * A list of any length: rows of one height, of which only those around the view are in the page. One row is current
 * (where the playhead is) and kept in view while the list follows; one may be selected.
 *
 * Keys: arrows, Page Up/Down, Home and End select; Enter jumps; Escape gives the selection up.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 * @import { Shape } from "./list_geometry.js"
 */

import { ifDefined } from "../vendor/lit-html/directives/if-defined.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { icon } from "./icons.js";
import { contentHeight, scrollTo, windowAt } from "./list_geometry.js";
import { styled } from "./styled.js";

/** @typedef {{first: number, last: number}} Range rows that are seen, `last` excluded */
/**
 * What the list shows; a new object means new rows.
 * @typedef {object} ListRows
 * @property {number} count
 * @property {(index: number, seen: Range) => TemplateResult} draw  content of a row
 * @property {(seen: Range) => TemplateResult} [head]  above the rows; decoration, not read out
 */
/**
 * @typedef {object} ListOptions
 * @property {ListRows} rows
 * @property {string} label  says what is listed
 * @property {number} [current]  -1: none
 * @property {number} [selected]  -1: none
 * @property {boolean} [following]  keep the current row in view
 * @property {number} [height]  of a row, px
 * @property {(index: number) => void} [onSelect]  -1: nothing any more
 * @property {(index: number) => void} [onJump]
 * @property {(following: boolean) => void} [onFollow]  the viewer scrolled away, or wants to follow again
 */

const ROW_HEIGHT = 32;
/** where a row is put that was out of view */
const SHARE = 0.4;
const DRAWN_FROM = /** @type {const} */ (["rows", "label", "current", "selected", "following", "height"]);

let lists = 0;

class VirtualList extends HTMLElement {
  #id = `list-${(lists += 1)}`;
  /** @type {ListOptions | undefined} */
  #options;
  /** @type {HTMLElement | null} */
  #scroller = null;
  #view = 0;
  /** where we scrolled to: anything else was the viewer */
  #expected = 0;
  #resized = new ResizeObserver(() => this.#measure());

  connectedCallback() {
    this.#draw();
    this.#scroller = /** @type {HTMLElement} */ (this.querySelector(".list-scroller"));
    this.#resized.observe(this.#scroller);
    this.#measure();
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  /** @param {ListOptions} options */
  set options(options) {
    const before = this.#options;
    this.#options = options;
    if (before && DRAWN_FROM.every((name) => before[name] === options[name])) return;
    this.#draw();
    if (this.#scroller === null) return;
    this.#expected = before?.rows === options.rows ? this.#expected : this.#scroller.scrollTop;
    if (before?.selected !== options.selected && !options.following) this.#reveal(options.selected ?? -1, {});
    this.#follow();
  }

  get #shape() {
    const count = this.#options?.rows.count ?? 0;
    return { count, row: this.#options?.height ?? ROW_HEIGHT, view: this.#view };
  }

  #measure() {
    if (this.#scroller === null) return;
    const first = this.#view === 0;
    this.#view = this.#scroller.clientHeight;
    this.#expected = this.#scroller.scrollTop;
    this.#draw();
    if (first && !this.#options?.following) this.#reveal(this.#options?.selected ?? -1, { share: SHARE });
    this.#follow();
  }

  #follow() {
    if (this.#options?.following) this.#reveal(this.#options.current ?? -1, { share: SHARE, margin: ROW_HEIGHT });
  }

  /**
   * @param {number} index
   * @param {{share?: number, margin?: number}} how
   */
  #reveal(index, how) {
    if (index < 0 || this.#scroller === null || this.#view === 0) return;
    const wanted = scrollTo(this.#shape, this.#scroller.scrollTop, index, how);
    if (Math.abs(wanted - this.#scroller.scrollTop) < 1) return;
    this.#scroller.scrollTop = wanted;
    this.#expected = this.#scroller.scrollTop;
    this.#draw();
  }

  #scrolled() {
    const by = Math.abs((this.#scroller?.scrollTop ?? 0) - this.#expected);
    this.#draw();
    if (by > 2) this.#leave();
  }

  /** The viewer moved: no following any more once the current row is out of view. */
  #leave() {
    const { following, current = -1, onFollow } = this.#options ?? {};
    const { seen } = this.#window();
    if (following && (current < seen.first || current >= seen.last)) onFollow?.(false);
  }

  #window() {
    return windowAt(this.#shape, this.#scroller?.scrollTop ?? 0);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { selected = -1, current = -1, rows, onSelect, onJump } = this.#options ?? {};
    if (!rows || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = selected >= 0 ? selected : current;
    const target = targetOf(event.key, at, this.#shape);
    if (target !== undefined && rows.count > 0) {
      const index = Math.min(Math.max(0, target), rows.count - 1);
      onSelect?.(index);
      this.#reveal(index, {});
      this.#leave();
    } else if (event.key === "Enter" && at >= 0) onJump?.(at);
    else if (event.key === "Escape" && selected >= 0) onSelect?.(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const row = event.target instanceof Element ? event.target.closest(".list-row") : null;
    if (!(row instanceof HTMLElement) || getSelection()?.type === "Range") return;
    const index = Number(row.dataset.index);
    this.#options?.onSelect?.(index);
    this.#options?.onJump?.(index);
  }

  #draw() {
    const options = this.#options;
    if (!options || !this.isConnected) return;
    const { rows, label, current = -1, selected = -1 } = options;
    const shape = this.#shape;
    const { first, last, top, seen } = this.#window();
    const active = selected >= first && selected < last ? this.#rowId(selected) : undefined;
    const row = (/** @type {number} */ index) =>
      html`<div
        class="list-row"
        role="option"
        id=${this.#rowId(index)}
        data-index=${index}
        aria-posinset=${index + 1}
        aria-setsize=${rows.count}
        aria-selected=${index === selected}
        aria-current=${index === current ? "true" : "false"}
      >
        ${rows.draw(index, seen)}
      </div>`;
    const drawn = Array.from({ length: last - first }, (_, at) => row(first + at));
    const template = html`${rows.head ? html`<div class="list-head" aria-hidden="true">${rows.head(seen)}</div>` : nothing}
      <div
        class="list-scroller"
        role="listbox"
        tabindex="0"
        aria-label=${label}
        aria-activedescendant=${ifDefined(active)}
        @scroll=${() => this.#scrolled()}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.#key(event)}
        @click=${(/** @type {MouseEvent} */ event) => this.#click(event)}
      >
        <div class="list-space" role="presentation" ${styled({ height: `${contentHeight(shape)}px` })}>
          <div
            class="list-window"
            role="presentation"
            ${styled({ transform: `translateY(${top}px)`, "--row": `${shape.row}px` })}
          >
            ${drawn}
          </div>
        </div>
      </div>
      ${this.#followButton(current, seen)}`;
    render(template, this);
  }

  /**
   * @param {number} current
   * @param {Range} seen
   */
  #followButton(current, seen) {
    const { following, onFollow } = this.#options ?? {};
    if (following || !onFollow || current < 0) return nothing;
    const way = current < seen.first ? "arrow-up" : current >= seen.last ? "arrow-down" : "check";
    return html`<button type="button" class="button list-follow" @click=${() => onFollow(true)}>
      ${icon(way)} Follow
    </button>`;
  }

  /** @param {number} index */
  #rowId(index) {
    return `${this.#id}-${index}`;
  }
}

customElements.define("virtual-list", VirtualList);

/** @param {ListOptions} options */
export function virtualList(options) {
  return html`<virtual-list .options=${options}></virtual-list>`;
}

/**
 * The row that a key leads to; undefined for keys that lead nowhere.
 * @param {string} key
 * @param {number} at
 * @param {Shape} shape
 */
function targetOf(key, at, { count, row, view }) {
  const page = Math.max(1, Math.floor(view / row) - 1);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1 };
  return Object.hasOwn(moves, key) ? moves[/** @type {keyof typeof moves} */ (key)] : undefined;
}
