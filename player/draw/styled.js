/**
 * Styles from data under a policy that forbids `style` attributes: sets CSSOM properties instead.
 *
 *     html`<div ${styled({ left: `${x}px`, "--share": share })}></div>`
 */

import { nothing } from "../vendor/lit-html/lit-html.js";
import { Directive, PartType, directive } from "../vendor/lit-html/directive.js";

/** @typedef {Readonly<Record<string, string | number | null | undefined>>} Styles  by CSS name; null and undefined: unset */

class StyledDirective extends Directive {
  /** @type {Map<string, string>} */
  #set = new Map();

  /** @param {import("../vendor/lit-html/directive.js").PartInfo} part */
  constructor(part) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error("styled() belongs inside a tag: <div ${styled({…})}>");
  }

  /** @param {Styles} _styles */
  render(_styles) {
    return nothing;
  }

  /**
   * @override
   * @param {import("../vendor/lit-html/lit-html.js").ElementPart} part
   * @param {[Styles]} values
   */
  update(part, [styles]) {
    const { style } = /** @type {HTMLElement | SVGElement} */ (part.element);
    for (const name of this.#set.keys()) {
      if (styles[name] == null) {
        style.removeProperty(name);
        this.#set.delete(name);
      }
    }
    for (const [name, value] of Object.entries(styles)) {
      if (value == null || this.#set.get(name) === String(value)) continue;
      style.setProperty(name, String(value));
      this.#set.set(name, String(value));
    }
    return nothing;
  }
}

/** Sets these properties (`left`, `background-color`, `--custom`, …) on the element and removes those no longer given. */
export const styled = directive(StyledDirective);
