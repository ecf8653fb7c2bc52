// What recorded times and sizes need beyond draw/format.js: milliseconds, and powers of 1024.

import { parseZone, viewerZone, zoneName } from "../draw/format.js";

/**
 * A size in powers of 1024: `512 B`, `1.5 KiB`, `256 MiB`.
 * @param {number} bytes
 */
export function binarySize(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number(amount.toFixed(amount < 100 && unit > 0 ? 1 : 0))} ${units[unit]}`;
}

/**
 * A point in time to the millisecond, with its zone: the viewer's, or one as a device writes it.
 * @param {number} epoch_ms
 * @param {string} [zone] `UTC+02:00`; UTC for one that is not understood
 */
export function exactTime(epoch_ms, zone) {
  if (!Number.isFinite(epoch_ms) || Math.abs(epoch_ms) > 8.6e15) return "unknown time";
  const known = zone === undefined ? undefined : (parseZone(zone) ?? 0);
  const east = minutesEast(epoch_ms, known);
  const text = new Date(epoch_ms + east * 60_000).toISOString().slice(0, -1).replace("T", " ");
  return `${text} ${known === undefined ? viewerZone() : zoneName(known)}`;
}

/**
 * @param {number} epoch_ms
 * @param {number | string | undefined} zone
 */
function minutesEast(epoch_ms, zone) {
  if (typeof zone === "number") return zone;
  if (zone === undefined) return -new Date(epoch_ms).getTimezoneOffset();
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(epoch_ms);
  const named = parts.find((part) => part.type === "timeZoneName")?.value ?? "UTC";
  return Number(parseZone(named) ?? 0);
}
