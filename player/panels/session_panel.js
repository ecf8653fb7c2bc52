// Who and what was recorded: user, device, app, place, ids, clock.

import { androidName } from "../draw/android_names.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { count, country, duration, plural } from "../draw/format.js";
import { clockWords } from "./completeness_words.js";
import { facts } from "./detail.js";
import { binarySize, exactTime } from "./units.js";

/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {Parameters<typeof facts>[0]} Pairs */

/** @type {import("./panel_types.js").Panel} */
export const sessionPanel = {
  id: "session",
  title: "Session",
  count: () => null,
  draw: ({ replay }) =>
    html`<div class="panel-view panel-scroll session-facts">
      ${part("User", userFacts(replay))} ${part("Metadata", metadataFacts(replay))}
      ${part("Device", deviceFacts(replay))} ${part("App", appFacts(replay))} ${part("Where", placeFacts(replay))}
      ${part("Time", timeFacts(replay), html`<p class="hint">${clockWords(replay.offset_ms)}</p>`)}
      ${part("Recording", recordingFacts(replay), continued(replay))}
    </div>`,
};

/**
 * @param {string} title
 * @param {Pairs} pairs
 * @param {import("../vendor/lit-html/lit-html.js").TemplateResult | typeof nothing} [more]
 */
function part(title, pairs, more = nothing) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<section class="fact-part">
    <h3>${title}</h3>
    ${known.length > 0 ? facts(known) : html`<p class="muted">Nothing was told.</p>`} ${more}
  </section>`;
}

/** @param {Replay} replay @returns {Pairs} */
function userFacts({ meta: { user } }) {
  return [
    ["User id", user.id, true],
    ["Anonymous id", user.anonymous_id, true],
    ["Tracker\u2019s id", user.uuid, true],
  ];
}

/** @param {Replay} replay @returns {Pairs} */
function metadataFacts({ meta }) {
  return Object.entries(meta.metadata).map(([name, value]) => [name, String(value), true]);
}

/** @param {Replay} replay @returns {Pairs} */
function deviceFacts({ meta: { device, platform } }) {
  const unit = platform === "android" ? "px" : "pt";
  const known = platform === "android" ? "for the app (Java heap)" : "";
  return [
    ["Name", platform === "android" ? androidName(device.name) : device.name],
    ["Hardware id", device.model, true],
    ["Type", device.type],
    ["System", `${systemName(device.os, platform)} ${device.os_version}`.trim()],
    ["Memory", device.memory_kb > 0 ? `${binarySize(device.memory_kb * 1024)} ${known}`.trim() : ""],
    ["Screen", device.width > 0 ? `${device.width} \u00d7 ${device.height} ${unit}` : ""],
  ];
}

/** @param {Replay} replay @returns {Pairs} */
function appFacts({ meta: { app, project, platform } }) {
  return [
    ["App revision", app.revision, true],
    ["Tracker", app.tracker_version ? `${systemName("", platform)} ${app.tracker_version}` : ""],
    ["Project", project, true],
  ];
}

/** @param {Replay} replay @returns {Pairs} */
function placeFacts({ meta: { geo, timezone } }) {
  return [
    ["Place", [geo.city, geo.state, geo.country ? country(geo.country) : ""].filter(Boolean).join(", ")],
    ["Time zone", timezone],
  ];
}

/** @param {Replay} replay @returns {Pairs} */
function timeFacts({ start_ms, offset_ms, duration_ms, meta }) {
  return [
    ["Began", exactTime(start_ms)],
    ["On the device", exactTime(start_ms - offset_ms, meta.timezone || "UTC")],
    ["Lasted", duration(duration_ms)],
    ["Last data", meta.received_ms ? exactTime(meta.received_ms) : ""],
  ];
}

/** @param {Replay} replay @returns {Pairs} */
function recordingFacts({ meta: { session_id, counts }, live }) {
  return [
    ["Session id", session_id, true],
    ["State", live ? "live" : "ready"],
    ["Messages", count(counts.messages)],
    ["Pictures", count(counts.frames)],
    ["Size", binarySize(counts.bytes)],
    ["Network calls", counts.network ? `${count(counts.network)}, ${plural(counts.network_errors, "error")}` : ""],
  ];
}

/** @param {Replay} replay */
function continued({ meta }) {
  if (!meta.continues) return nothing;
  return html`<p class="hint">
    It goes on from <a href=${`/replays/${encodeURIComponent(meta.continues)}`}>session ${meta.continues}</a>, whose
    token had timed out.
  </p>`;
}

/**
 * @param {string} os
 * @param {string} platform
 */
function systemName(os, platform) {
  if (os.toLowerCase() === "ios" || (os === "" && platform === "ios")) return "iOS";
  return os || (platform === "android" ? "Android" : platform);
}
