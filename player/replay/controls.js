/**
 * The buttons below the timeline, and the two clocks.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 * @import { Deeds } from "./keys.js"
 */

import { clock as clockText, duration, parseZone, preciseClock, timeOfDay, zoneName } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { SPEEDS } from "./clock.js";
import { correctedTime, deviceTime } from "./data.js";

/** Below this nobody would see that a clock is wrong. */
const SMALL_SHIFT_MS = 1_000;

/**
 * @param {Replay} replay
 * @param {Clock} clock
 * @param {boolean} fullscreen
 * @param {Deeds} deeds
 */
export function controls(replay, clock, fullscreen, deeds) {
  const ended = !replay.live && clock.position_ms >= replay.duration_ms;
  const issues = replay.issues.length > 0;
  const pictures = replay.frames.t.length > 0;
  return html`<div class="controls" role="group" aria-label="Playback">
    <div class="controls-main">
      ${button("issue-back", "Previous issue", () => deeds.issue(-1), { disabled: !issues })}
      ${button("step-back", "Previous picture", () => deeds.step(-1), { disabled: !pictures })}
      ${button(
        clock.playing ? "pause" : ended ? "replay" : "play",
        clock.playing ? "Pause" : ended ? "Play again" : "Play",
        () => deeds.toggle(),
        { primary: true },
      )}
      ${button("step-forward", "Next picture", () => deeds.step(1), { disabled: !pictures })}
      ${button("issue-forward", "Next issue", () => deeds.issue(1), { disabled: !issues })}
      <span class="elapsed numbers" title=${preciseClock(clock.position_ms)}
        >${clockText(clock.position_ms)}<span class="muted"> / ${clockText(replay.duration_ms)}</span></span
      >
    </div>
    ${wallClocks(replay, clock.position_ms)}
    <div class="controls-more">
      ${replay.live ? follower(clock, deeds) : nothing}
      <label class="speed"
        ><span class="visually-hidden">Speed</span>
        <select class="select" .value=${live(String(clock.speed))} @change=${(/** @type {Event} */ event) => changed(event, deeds)}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === clock.speed}>${speed}×</option>`)}
        </select></label
      >
      <button class="button" type="button" aria-pressed=${clock.skip} aria-label="Skip inactivity" title="Skip inactivity (s)" @click=${deeds.skip}>
        ${icon("skip")}<span class="wide-only">Skip inactivity</span>
      </button>
      ${button(fullscreen ? "exit-fullscreen" : "fullscreen", fullscreen ? "Leave full screen" : "Full screen", deeds.fullscreen)}
    </div>
  </div>`;
}

/**
 * @param {import("../draw/icons.js").IconName} name
 * @param {string} label
 * @param {() => void} press
 * @param {{disabled?: boolean, primary?: boolean}} [more]
 */
function button(name, label, press, { disabled = false, primary = false } = {}) {
  return html`<button
    class="button square ${primary ? "primary" : "quiet"}"
    type="button"
    aria-label=${label}
    title=${label}
    ?disabled=${disabled}
    @click=${press}
  >
    ${icon(name)}
  </button>`;
}

/** @param {Event} event @param {Deeds} deeds */
function changed(event, deeds) {
  const { value } = /** @type {HTMLSelectElement} */ (event.currentTarget);
  deeds.speed(() => Number(value));
}

/** @param {Clock} clock @param {Deeds} deeds */
function follower(clock, deeds) {
  return html`<button class="button follow" type="button" aria-pressed=${clock.follow} title="To the newest data (l)" @click=${deeds.follow}>
    ${icon("live")}Live
  </button>`;
}

/**
 * The same moment by the server's clock, as the viewer's zone shows it, and by the phone's own.
 * @param {Replay} replay
 * @param {number} position_ms
 */
function wallClocks(replay, position_ms) {
  const zone = parseZone(replay.meta.timezone ?? "") ?? undefined;
  const shift = Math.abs(replay.offset_ms);
  const way = replay.offset_ms > 0 ? "slow" : "fast";
  const words = shift < SMALL_SHIFT_MS ? "" : `clock ${duration(shift)} ${way}`;
  const where = zone === undefined ? "" : zoneName(zone);
  return html`<dl class="wall-clocks numbers">
    <div title="By the server's clock, in your time zone: the time shown everywhere">
      <dt>Corrected</dt>
      <dd>${timeOfDay(correctedTime(replay, position_ms))}</dd>
    </div>
    <div title="What the phone's own clock showed">
      <dt>Phone</dt>
      <dd>
        ${timeOfDay(deviceTime(replay, position_ms), { zone })}
        ${where ? html`<span class="zone muted">${where}</span>` : nothing}
        ${words ? html`<span class="shift">${words}</span>` : nothing}
      </dd>
    </div>
  </dl>`;
}
