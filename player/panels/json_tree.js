// JSON as lines that fold.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { plural } from "../draw/format.js";
import { visible } from "./safe_text.js";

/** @typedef {import("./json_text.js").Json} Json */
/** @typedef {import("../vendor/lit-html/lit-html.js").TemplateResult} TemplateResult */
/**
 * What is unfolded: paths to the number of members shown there, 0 for folded by hand; `toggle` changes it.
 * @typedef {{shown: ReadonlyMap<string, number>, change: (path: string, shown: number) => void}} Folding
 */

const OPEN_DEPTH = 2;
const OPEN_MEMBERS = 40;
const STEP = 100;
const LONG_CHARS = 400;

/**
 * @param {Json} value
 * @param {Folding} folding
 */
export function jsonTree(value, folding) {
  return html`<div class="json">${node(value, nothing, "", 0, folding)}</div>`;
}

/**
 * @param {Json} value
 * @param {TemplateResult | typeof nothing} label
 * @param {string} path
 * @param {number} depth
 * @param {Folding} folding
 * @returns {TemplateResult}
 */
function node(value, label, path, depth, folding) {
  if (value.kind === "literal")
    return html`<div class="json-line">${label}<span class="json-literal">${value.text}</span></div>`;
  if (value.kind === "string") return stringLine(value.text, label, path, folding);
  const members = membersOf(value);
  const [open, close] = value.kind === "list" ? "[]" : "{}";
  if (members.length === 0)
    return html`<div class="json-line">${label}<span class="json-sign">${open}${close}</span></div>`;
  const usual = depth < OPEN_DEPTH && members.length <= OPEN_MEMBERS ? STEP : depth === 0 ? STEP : 0;
  const shown = folding.shown.get(path) ?? usual;
  const words = value.kind === "list" ? plural(members.length, "item") : plural(members.length, "member");
  const toggle = () => folding.change(path, shown > 0 ? 0 : STEP);
  const rest = members.length - shown;
  return html`<div class="json-line">
      <button type="button" class="json-fold" aria-expanded=${shown > 0} @click=${toggle}>
        ${label}<span class="json-sign">${open}</span
        >${shown > 0 ? nothing : html`<span class="json-note">${words}</span><span class="json-sign">${close}</span>`}
      </button>
    </div>
    ${
      shown === 0
        ? nothing
        : html`<div class="json-inside">
              ${members.slice(0, shown).map(([key, item]) => node(item, labelOf(key), `${path}/${key}`, depth + 1, folding))}
              ${
                rest > 0
                  ? html`<button
                      type="button"
                      class="button small"
                      @click=${() => folding.change(path, shown + STEP * 10)}
                    >
                      Show ${Math.min(rest, STEP * 10)} more of ${rest}
                    </button>`
                  : nothing
              }
            </div>
            <div class="json-line json-sign">${close}</div>`
    }`;
}

/**
 * What is inside, with its key or number.
 * @param {Json & {kind: "list" | "object"}} value
 * @returns {[string, Json][]}
 */
function membersOf(value) {
  if (value.kind === "list") return value.items.map((item, at) => [String(at), item]);
  return value.members;
}

/** @param {string} key */
function labelOf(key) {
  return html`<span class="json-key">${visible(key)}</span><span class="json-sign">: </span>`;
}

/**
 * @param {string} text
 * @param {TemplateResult | typeof nothing} label
 * @param {string} path
 * @param {Folding} folding
 */
function stringLine(text, label, path, folding) {
  const whole = text.length <= LONG_CHARS || folding.shown.has(path);
  const shown = whole ? text : text.slice(0, LONG_CHARS);
  const more = html`<button type="button" class="button small" @click=${() => folding.change(path, 1)}>
    Show all ${plural(text.length, "character")}
  </button>`;
  return html`<div class="json-line">
    ${label}<span class="json-string">"${visible(shown)}${whole ? '"' : "\u2026"}</span>${whole ? nothing : more}
  </div>`;
}
