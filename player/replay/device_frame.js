/**
 * The phone around a picture.
 *
 * @import { Device, Kind } from "./geometry.js"
 */

/**
 * Its sizes as the style sheet takes them.
 * @param {HTMLElement} element
 * @param {Kind} kind
 * @param {Device} device
 */
export function wear(element, kind, device) {
  element.dataset.kind = kind;
  for (const [name, value] of Object.entries(device)) {
    element.style.setProperty(`--${name.replace("_", "-")}`, `${value}px`);
  }
}
