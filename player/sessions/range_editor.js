/**
 * From–to for the start and the duration of sessions, with what is asked for most at one click.
 *
 * @import { Field } from "./fields.js"
 * @import { Filters } from "./filters.js"
 * @import { Range } from "./range.js"
 */

import { problemLine, typedIn } from "../draw/fields.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { PERIODS, withDuration, withSpan } from "./filters.js";
import { applied } from "./range.js";

/** @type {readonly [string, number | null, number | null][]} */
const DURATIONS = [
  ["Under 10 seconds", null, 10_000],
  ["Over 30 seconds", 30_000, null],
  ["Over 1 minute", 60_000, null],
  ["Over 5 minutes", 300_000, null],
  ["Over 30 minutes", 1_800_000, null],
];

/**
 * @param {object} editor
 * @param {Field} editor.field
 * @param {Filters} editor.filters
 * @param {Range} editor.range
 * @param {string} editor.problem
 * @param {(range: Range) => void} editor.onRange
 * @param {(problem: string) => void} editor.onProblem
 * @param {(filters: Filters) => void} editor.onApply
 */
export function rangeEditor({ field, filters, range, problem, onRange, onProblem, onApply }) {
  const dated = field.kind === "period";
  /** @param {SubmitEvent} event */
  const submitted = (event) => {
    event.preventDefault();
    const result = applied(field, filters, range);
    if (typeof result === "string") onProblem(result);
    else onApply(result);
  };
  /** @param {keyof Range} name @param {string} label */
  const input = (name, label) =>
    html`<div class="field">
      <label for="range-${name}">${label}</label>
      <input
        class="input"
        id="range-${name}"
        type=${dated ? "datetime-local" : "text"}
        placeholder=${dated ? nothing : name === "from" ? "30s" : "5m"}
        maxlength="40"
        autocomplete="off"
        .value=${live(range[name])}
        @input=${(/** @type {Event} */ event) => onRange({ ...range, [name]: typedIn(event) })}
      />
    </div>`;
  return html`<form class="range" novalidate @submit=${submitted}>
      ${input("from", dated ? "From" : "At least")} ${input("to", dated ? "To" : "At most")}
      <button class="button primary" type="submit">Apply</button>
      <div role="alert">${problemLine(problem)}</div>
    </form>
    <div class="presets" role="group" aria-label="Often used">
      ${
        dated
          ? [...PERIODS].map(([name, { label }]) =>
              preset(label, filters.period === name, () => onApply(withSpan(filters, { period: name }))),
            )
          : DURATIONS.map(([label, least, most]) =>
              preset(label, filters.min_duration_ms === least && filters.max_duration_ms === most, () =>
                onApply(withDuration(filters, least, most)),
              ),
            )
      }
    </div>`;
}

/** @param {string} label @param {boolean} chosen @param {() => void} choose */
function preset(label, chosen, choose) {
  return html`<button class="button" type="button" aria-pressed=${chosen} @click=${choose}>${label}</button>`;
}
