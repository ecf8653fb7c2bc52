// Crashes: what, where in the code, and what happened just before.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { appeared } from "../draw/appeared.js";
import { copyButton } from "../draw/copy_button.js";
import { plural, preciseClock } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { styled } from "../draw/styled.js";
import { deviceTime } from "../replay/data.js";
import { crumbsBefore } from "./breadcrumbs.js";
import { timesOf, whenLoaded } from "./detail.js";
import { perObject } from "./memo.js";
import { loadMessage } from "./messages.js";
import { oneLine, visible } from "./safe_text.js";
import { framesOf } from "./stack_trace.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./messages.js").Message} Message */

const TRACK = "crashes";
const MAX_FRAMES = 200;

const beforeCrash = perObject((/** @type {Replay} */ replay) =>
  (replay.tracks[TRACK]?.t ?? []).map((t) => crumbsBefore(replay, t)),
);

/** @type {import("./panel_types.js").Panel} */
export const crashPanel = {
  id: "crash",
  title: "Crash",
  count: ({ tracks }) => tracks[TRACK]?.t.length ?? 0,
  draw: (view) => {
    const crashes = view.replay.tracks[TRACK];
    if (!crashes?.t.length) {
      return html`<div class="panel-view"><p class="panel-empty">No crash was reported in this session.</p></div>`;
    }
    return html`<div class="panel-view panel-scroll">${crashes.t.map((_, place) => crash(view, place))}</div>`;
  },
};

/**
 * One crash; its stack is fetched when the panel is first drawn.
 * @param {PanelView} view
 * @param {number} place
 */
function crash(view, place) {
  const { replay, state, seek } = view;
  const { t, name, reason } = replay.tracks[TRACK];
  const key = `${TRACK}:${deviceTime(replay, t[place])}:${place}`;
  const chosen = t.length === 1 || state.chosen === key;
  const choose = () => {
    view.set({ chosen: key });
    void loadMessage("crash", view, TRACK, place, key);
  };
  return html`<section class="crash" aria-label="Crash">
    <header class="crash-head">
      ${icon("crash")}
      <h3 class="recorded-inline">${visible(name[place]) || "Crash without a name"}</h3>
      <button type="button" class="button small" @click=${() => seek(t[place])}>
        ${icon("play")}<span class="numbers">${preciseClock(t[place])}</span>
      </button>
    </header>
    <p class="crash-reason recorded-inline">${visible(reason[place])}</p>
    ${
      chosen
        ? html`<div ${appeared(() => state.loaded?.key !== key && choose())}>
              ${whenLoaded(state.loaded, key, ({ fields }) => stack(fields), choose)}
            </div>
            ${before(view, place)} ${timesOf(replay, t[place])}`
        : html`<button type="button" class="button small" @click=${choose}>Show stack</button>`
    }
  </section>`;
}

/** @param {Record<string, any>} fields */
function stack({ Name, Reason, Stacktrace }) {
  const text = String(Stacktrace ?? "");
  const frames = framesOf(text);
  if (frames.length === 0) return html`<p class="muted">The tracker sent no stack.</p>`;
  const own = frames.filter((frame) => frame.own).length;
  return html`<div class="stack-head">
      <h4>Stack</h4>
      <span class="muted">${plural(frames.length, "frame")}, ${own} of the app</span>
      ${copyButton({ text: `${Name}: ${Reason}\n${text}`, label: "Copy stack", words: "Copy" })}
    </div>
    <ol class="stack" tabindex="0" aria-label="Stack">
      ${frames.slice(0, MAX_FRAMES).map(
        (frame) =>
          html`<li class=${frame.own ? "own" : ""}>
            <span class="stack-symbol">${visible(frame.symbol)}</span>
            <span class="stack-at">${visible(frame.at)}</span>
            <span class="stack-module"
              >${visible(frame.module)}${frame.own ? html`<span class="visually-hidden"> (the app)</span>` : nothing}</span
            >
          </li>`,
      )}
    </ol>
    ${frames.length > MAX_FRAMES ? html`<p class="muted">and ${frames.length - MAX_FRAMES} more, in the copy</p>` : nothing}`;
}

/**
 * @param {PanelView} view
 * @param {number} place
 */
function before(view, place) {
  const { rows, more } = beforeCrash(view.replay)[place];
  return html`<h4>In the 30 s before</h4>
    ${more > 0 ? html`<p class="muted">The last ${rows.length}; ${more} earlier ones are in the other panels.</p>` : nothing}
    ${rows.length === 0 ? html`<p class="muted">Nothing was reported.</p>` : nothing}
    <ol class="crumbs">
      ${rows.map(
        (row) =>
          html`<li>
            <button type="button" class="crumb" @click=${() => view.seek(row.t)}>
              <span class="row-time numbers">${preciseClock(row.t)}</span>
              <span class="row-icon" ${styled({ "--kind": row.color })}>${icon(row.icon)}</span>
              <span class="visually-hidden">${row.kind}:</span>
              <span class="row-text"
                ><span class="row-main">${oneLine(row.title)}</span
                ><span class="row-more">${oneLine(row.more)}</span></span
              >
            </button>
          </li>`,
      )}
    </ol>`;
}
