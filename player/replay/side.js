/**
 * The panels beside the stage: tabs, the chosen panel, the edge that sets the width.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 * @import { Replay } from "./data.js"
 */

import { shortCount } from "../draw/format.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { panelBeside, panelNamed } from "./panel_choice.js";
import { LEAST_PX } from "./side_width.js";

/**
 * @typedef {object} PanelView
 * @property {Replay} replay
 * @property {number} position_ms
 * @property {(ms: number) => void} seek
 * @property {import("../api.js").Api} api
 * @property {Record<string, any>} state
 * @property {(patch: Record<string, any>) => void} set
 */
/** @typedef {{id: string, title: string, count: (replay: Replay) => number | null, draw: (view: PanelView) => TemplateResult}} Panel */

const STEP_PX = 24;

/**
 * @param {readonly Panel[]} panels
 * @param {string} chosen
 * @param {(panel: Panel) => PanelView} viewOf
 * @param {(id: string) => void} choose
 */
export function side(panels, chosen, viewOf, choose) {
  const panel = panelNamed(panels, chosen);
  if (!panel) return html`<aside class="side" aria-label="Details"></aside>`;
  const view = viewOf(panel);
  return html`<aside class="side" aria-label="Details">
    <div class="tabs" role="tablist" aria-label="Panels" @keydown=${(/** @type {KeyboardEvent} */ event) => moved(event, panels, panel.id, choose)}>
      ${panels.map((each) => tab(each, each === panel, view.replay, choose))}
    </div>
    <div class="panel" id="panel" role="tabpanel" aria-labelledby="tab-${panel.id}" data-panel=${panel.id}>${panel.draw(view)}</div>
  </aside>`;
}

/** @param {Panel} panel @param {boolean} selected @param {Replay} replay @param {(id: string) => void} choose */
function tab(panel, selected, replay, choose) {
  const count = panel.count(replay);
  return html`<button
    class="tab"
    type="button"
    role="tab"
    id="tab-${panel.id}"
    aria-selected=${selected}
    aria-controls="panel"
    tabindex=${selected ? 0 : -1}
    @click=${() => choose(panel.id)}
  >
    ${panel.title}${count === null ? nothing : html` <span class="tab-count numbers">${shortCount(count)}</span>`}
  </button>`;
}

/** @param {KeyboardEvent} event @param {readonly Panel[]} panels @param {string} id @param {(id: string) => void} choose */
function moved(event, panels, id, choose) {
  /** @type {Record<string, () => string>} */
  const ways = {
    ArrowRight: () => panelBeside(panels, id, 1),
    ArrowLeft: () => panelBeside(panels, id, -1),
    Home: () => panels[0]?.id ?? id,
    End: () => panels.at(-1)?.id ?? id,
  };
  const next = ways[event.key]?.();
  if (next === undefined) return;
  event.preventDefault();
  choose(next);
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (list.querySelector("[aria-selected=true]"))?.focus());
}

/**
 * The edge between stage and panels.
 * @param {number} width_px of the panels
 * @param {(width_px: number) => void} resize
 */
export function edge(width_px, resize) {
  /** @param {PointerEvent} event */
  const down = (event) => {
    const handle = /** @type {HTMLElement} */ (event.currentTarget);
    handle.setPointerCapture(event.pointerId);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const handle = /** @type {HTMLElement} */ (event.currentTarget);
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const right = handle.parentElement?.getBoundingClientRect().right ?? 0;
    resize(right - event.clientX);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const by = { ArrowLeft: STEP_PX, ArrowRight: -STEP_PX }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    resize(width_px + by);
  };
  return html`<div
    class="edge"
    role="separator"
    aria-orientation="vertical"
    aria-label="Width of the panels"
    aria-valuenow=${Math.round(width_px)}
    aria-valuemin=${LEAST_PX}
    tabindex="0"
    @pointerdown=${down}
    @pointermove=${move}
    @keydown=${key}
  ></div>`;
}
