// What a row holds, beside or below its list: times on both clocks, the whole message when it is there.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../draw/copy_button.js";
import { plural, preciseClock } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { correctedTime, deviceTime } from "../replay/data.js";
import { oneLine, visible } from "./safe_text.js";
import { exactTime } from "./units.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./messages.js").Loaded} Loaded */
/** @typedef {import("../vendor/lit-html/lit-html.js").TemplateResult} TemplateResult */
/** @typedef {TemplateResult | typeof nothing} Drawn */

const LONG_CHARS = 400;

/**
 * A detail with its head.
 * @param {PanelView} view
 * @param {{title: string, at_ms: number, close: () => void, content: Drawn}} what
 */
export function detail(view, { title, at_ms, close, content }) {
  /** @param {Event} event */
  const leave = (event) => {
    const list = /** @type {Element} */ (event.currentTarget).closest(".panel-view")?.querySelector(".list-scroller");
    if (list instanceof HTMLElement) list.focus({ preventScroll: true });
    close();
  };
  return html`<section class="panel-detail" aria-label=${`Detail: ${title}`}>
    <header class="detail-head">
      <h3 class="recorded-inline">${visible(title)}</h3>
      <button type="button" class="button small" @click=${() => view.seek(at_ms)}>
        ${icon("play")}<span class="numbers">${preciseClock(at_ms)}</span>
      </button>
      <button type="button" class="button quiet square small" aria-label="Close detail" @click=${leave}>
        ${icon("close")}
      </button>
    </header>
    <div class="detail-body">${content} ${timesOf(view.replay, at_ms)}</div>
  </section>`;
}

/**
 * Pairs of name and value, those without a value left out; strings of the recording are made safe to look at.
 * @param {[name: string, value: string | number | undefined | null, copied?: boolean][]} pairs
 */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">
    ${known.map(
      ([name, value, copied]) =>
        html`<div>
          <dt>${visible(name)}</dt>
          <dd>
            ${valueOf(String(value))} ${copied ? copyButton({ text: String(value), label: `Copy ${name}` }) : nothing}
          </dd>
        </div>`,
    )}
  </dl>`;
}

/** A value, long ones unfolded on demand. @param {string} text */
function valueOf(text) {
  if (text.length <= LONG_CHARS) return html`<span class="recorded-inline">${visible(text)}</span>`;
  return html`<details class="long-value">
    <summary>
      <span class="recorded-inline">${oneLine(text, LONG_CHARS / 2)}</span>
      <span class="muted">${plural(text.length, "character")}</span>
    </summary>
    <div class="recorded-inline">${visible(text)}</div>
  </details>`;
}

/**
 * What was asked for, drawn once it is here; before that, words.
 * @param {Loaded | undefined} loaded
 * @param {string} key
 * @param {(found: any) => Drawn} draw
 * @param {() => void} again
 */
export function whenLoaded(loaded, key, draw, again) {
  if (loaded?.key !== key || loaded.status === "loading") {
    return html`<p class="panel-wait" role="status"><span class="spinner"></span> Loading…</p>`;
  }
  if (loaded.status === "ready") return draw(loaded.found);
  return html`<p class="problem" role="alert">
    <span>${loaded.problem}</span> <button type="button" class="button small" @click=${again}>Try again</button>
  </p>`;
}

/**
 * Both clocks.
 * @param {import("./panel_types.js").Replay} replay
 * @param {number} at_ms
 */
export function timesOf(replay, at_ms) {
  return facts([
    ["Time, corrected", exactTime(correctedTime(replay, at_ms))],
    ["On the device", exactTime(deviceTime(replay, at_ms), replay.meta.timezone || "UTC")],
  ]);
}
