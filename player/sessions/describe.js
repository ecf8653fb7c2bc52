/**
 * What a row says about its session. Pure.
 *
 * @import { ReplayOut } from "../types.js"
 */

import { androidName } from "../draw/android_names.js";
import {
  ago,
  country,
  dateTime,
  day,
  fullTime,
  parseZone,
  plural,
  shortTime,
  shortZoneName,
} from "../draw/format.js";

const APP_VERSION_KEYS = ["appVersion", "app_version", "version"];
const NO_VERSION = new Set(["", "N/A"]);

/** @param {ReplayOut} replay */
export function userName({ user }) {
  return user.id || user.anonymous_id || "Anonymous";
}

/** What else is known of the user: metadata, else the other names. @param {ReplayOut} replay */
export function userDetail({ user, metadata }) {
  const pairs = Object.entries(metadata).filter(([key, value]) => value && !APP_VERSION_KEYS.includes(key));
  if (pairs.length) return pairs.map(([key, value]) => `${key} ${value}`).join(" · ");
  if (user.id && user.anonymous_id) return user.anonymous_id;
  return user.uuid ? user.uuid.slice(0, 8) : "";
}

/** What the app says it is, else the revision that the SDK read; empty: unknown. @param {ReplayOut} replay */
export function appVersion({ app, metadata }) {
  const said = APP_VERSION_KEYS.map((key) => (Object.hasOwn(metadata, key) ? metadata[key] : "")).find(Boolean);
  return said ?? (NO_VERSION.has(app.revision) ? "" : app.revision);
}

/** @param {ReplayOut} replay */
export function deviceName({ device, platform }) {
  const name = device.name || device.model;
  return (platform === "android" ? androidName(name) : name) || "Unknown device";
}

/** `iOS 17.4`. @param {ReplayOut} replay */
export function system({ platform, device }) {
  const name = platform === "ios" ? "iOS" : platform === "android" ? "Android" : device.os;
  return `${name} ${device.os_version}`.trim();
}

/** @param {ReplayOut} replay */
export function place({ geo }) {
  return country(geo.country);
}

/** `Berlin, Berlin, Germany`, as far as it is known. @param {ReplayOut} replay */
export function fullPlace(replay) {
  const { city, state } = replay.geo;
  return [...new Set([city, state, place(replay)])].filter(Boolean).join(", ");
}

/**
 * The start in both clocks: `own` in the viewer's zone, `device` as the phone showed it.
 *
 * @param {ReplayOut} replay @param {number} now_ms
 */
export function times({ started_ms, clock_offset_ms, timezone }, now_ms) {
  const zone = parseZone(timezone);
  const device_ms = started_ms - clock_offset_ms;
  return {
    own: dateTime(started_ms, { now_ms }),
    device: zone === null ? "" : `${deviceTime(started_ms, device_ms, zone, now_ms)} ${shortZoneName(zone)}`,
    detail: [
      `${fullTime(started_ms)} (you), ${ago(started_ms, now_ms)}`,
      zone === null ? "The device’s zone is not known." : `${fullTime(device_ms, { zone })} (device)`,
      clockFault(clock_offset_ms),
    ]
      .filter(Boolean)
      .join("\n"),
  };
}

/** @param {number} clock_offset_ms */
function clockFault(clock_offset_ms) {
  const seconds = Math.round(Math.abs(clock_offset_ms) / 1000);
  if (!seconds) return "";
  const fault = clock_offset_ms > 0 ? "slow" : "fast";
  return `The device’s clock is ${plural(seconds, "second")} ${fault}; times are corrected.`;
}

/**
 * With the day only where it is not the viewer's.
 *
 * @param {number} started_ms
 * @param {number} device_ms
 * @param {number | string} zone
 * @param {number} now_ms
 */
function deviceTime(started_ms, device_ms, zone, now_ms) {
  return day(started_ms) === day(device_ms, { zone })
    ? shortTime(device_ms, { zone })
    : dateTime(device_ms, { zone, now_ms });
}

/** `9 events, 30 taps, …`, without what did not happen. @param {ReplayOut} replay */
export function happenings({ counts }) {
  /** @type {[number, string, string?][]} */
  const parts = [
    [counts.events, "event"],
    [counts.clicks, "tap"],
    [counts.swipes, "swipe"],
    [counts.inputs, "input"],
    [counts.views, "screen"],
    [counts.network, "network call"],
    [counts.logs, "log line"],
    [counts.frames, "picture"],
  ];
  const said = parts.filter(([number]) => number > 0).map(([number, one]) => plural(number, one));
  return said.length ? said.join(", ") : "Nothing yet";
}

/** Each kind of issue once, crashes first. @param {ReplayOut} replay */
export function issueTypes({ issues }) {
  const order = ["crash", "anr"];
  const rank = (/** @type {string} */ type) => (order.includes(type) ? order.indexOf(type) : order.length);
  return [...new Set(issues.map(({ type }) => type))].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
