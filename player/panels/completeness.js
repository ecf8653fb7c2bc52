// The bar under the stage that says what is missing, or that nothing is.

import { html } from "../vendor/lit-html/lit-html.js";
import { icon } from "../draw/icons.js";
import { statementsOf } from "./completeness_words.js";
import { perObject } from "./memo.js";

/** @typedef {import("./panel_types.js").Replay} Replay */

const LOOKS = /** @type {const} */ ({
  missing: { icon: "issue", look: "missing" },
  note: { icon: "info", look: "note" },
  fine: { icon: "check", look: "fine" },
});

const known = perObject(statementsOf);

/**
 * The first statement, the others unfolded on demand.
 * @param {Replay} replay
 */
export function completeness(replay) {
  const [first, ...rest] = known(replay);
  if (first === undefined) return html`<div class="completeness"></div>`;
  const { icon: sign, look } = LOOKS[first.level];
  const head = html`${icon(sign)}<span>${first.text}</span>`;
  if (rest.length === 0)
    return html`<div class="completeness ${look}" role="note"><p class="completeness-head">${head}</p></div>`;
  return html`<details class="completeness ${look}">
    <summary class="completeness-head">
      ${head}<span class="badge">${rest.length} more</span>${icon("chevron-down")}
    </summary>
    <ul>
      ${rest.map((each) => html`<li class=${LOOKS[each.level].look}>${icon(LOOKS[each.level].icon)}<span>${each.text}</span></li>`)}
    </ul>
  </details>`;
}
