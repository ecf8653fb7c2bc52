/**
 * Adding and changing a filter: choose the field, then its value. How it looks is in menu_view.js.
 *
 * @import { Api } from "../api.js"
 * @import { Field } from "./fields.js"
 * @import { Filters } from "./filters.js"
 * @import { Menu } from "./menu.js"
 */

import { ApiError } from "../api.js";
import { fieldNamed } from "./fields.js";
import { withValue } from "./filters.js";
import { askedFor, openMenu } from "./menu.js";
import { rangeOf } from "./range.js";
import { asksAsTyped, createSuggest } from "./suggest.js";

const PAUSE_MS = 120;
const METADATA = "metadata.";

/**
 * @param {object} page
 * @param {Api} page.api
 * @param {() => {menu: Menu | null, filters: Filters}} page.state
 * @param {(menu: Menu | null) => void} page.set
 * @param {(filters: Filters) => void} page.apply
 */
export function createFilterMenu({ api, state, set, apply }) {
  const suggest = createSuggest(api);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  /** Gets the focus back. @type {HTMLElement | null} */
  let opener = null;

  /** @param {Partial<Menu>} changes */
  function patch(changes) {
    const { menu } = state();
    if (menu) set({ ...menu, ...changes });
  }

  /** @param {string} anchor `add`, or a chip's name @param {HTMLElement | null} from */
  function open(anchor, from) {
    opener = from;
    set(openMenu(anchor));
    if (anchor === "add") return;
    if (anchor.startsWith(METADATA)) choose(fieldNamed("metadata"), anchor.slice(METADATA.length));
    else choose(fieldNamed(anchor));
  }

  /** @param {{focus: boolean}} options  whether the focus goes back to where it came from */
  function shut({ focus }) {
    clearTimeout(pause);
    suggest.stop();
    if (!state().menu) return;
    set(null);
    if (focus && opener?.isConnected) opener.focus();
    opener = null;
  }

  /** @param {Field} field @param {string | null} key */
  function choose(field, key = null) {
    const range = rangeOf(field, state().filters);
    patch({ field, key, text: "", found: [], active: 0, problem: "", range });
    void ask();
  }

  async function ask() {
    const { menu, filters } = state();
    const name = menu && askedFor(menu);
    if (!menu || !name) return;
    patch({ asking: true, problem: "" });
    try {
      const found = await suggest.values(filters.project, name, menu.text);
      if (found) patch({ found, asking: false, active: 0 });
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      patch({ found: [], asking: false, problem: problem.message });
    }
  }

  /** @param {string} text */
  function typed(text) {
    patch({ text, active: 0 });
    clearTimeout(pause);
    const { menu } = state();
    if (asksAsTyped(menu?.field?.name ?? "")) pause = setTimeout(ask, PAUSE_MS);
  }

  /** @param {string} value */
  function take(value) {
    const { menu, filters } = state();
    if (!menu?.field || !value) return;
    const { kind, name } = menu.field;
    if (kind === "metadata" && menu.key === null) choose(menu.field, value);
    else change(withValue(filters, kind === "metadata" ? METADATA + menu.key : name, value));
  }

  /** @param {Filters} filters */
  function change(filters) {
    shut({ focus: true });
    apply(filters);
  }

  function back() {
    const { menu } = state();
    if (menu?.anchor !== "add") return;
    if (menu.key !== null && menu.field) choose(menu.field);
    else set(openMenu("add"));
  }

  /** @param {PointerEvent} event */
  function pressed(event) {
    const isOurs = (/** @type {EventTarget} */ each) =>
      each instanceof Element && each.matches(".menu, .menu-opener");
    if (state().menu && !event.composedPath().some(isOurs)) shut({ focus: false });
  }

  document.addEventListener("pointerdown", pressed);
  return {
    open,
    shut,
    choose,
    typed,
    take,
    change,
    back,
    patch,
    /** @param {string} anchor @param {HTMLElement} from */
    toggle: (anchor, from) => (state().menu?.anchor === anchor ? shut({ focus: true }) : open(anchor, from)),
    close() {
      clearTimeout(pause);
      suggest.stop();
      document.removeEventListener("pointerdown", pressed);
    },
  };
}
