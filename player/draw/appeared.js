/**
 * Something to do when a part of the page appears, once: drawing itself stays without effects.
 *
 *     html`<section ${appeared(() => load())}>…`
 */

import { nothing } from "../vendor/lit-html/lit-html.js";
import { AsyncDirective } from "../vendor/lit-html/async-directive.js";
import { directive } from "../vendor/lit-html/directive.js";

class AppearedDirective extends AsyncDirective {
  #done = false;

  /** @param {() => void} act */
  render(act) {
    if (!this.#done) queueMicrotask(act);
    this.#done = true;
    return nothing;
  }
}

export const appeared = directive(AppearedDirective);
