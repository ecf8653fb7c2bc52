import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../player/draw/format.js";

test("clocks grow with the time they show", () => {
  for (const [ms, text] of /** @type {const} */ ([
    [0, "0:00"],
    [7_999, "0:07"],
    [754_000, "12:34"],
    [3_723_000, "1:02:03"],
    [-4_500, "\u22120:04"],
    [-400, "0:00"],
  ])) {
    assert.equal(format.clock(ms), text);
  }
  assert.equal(format.preciseClock(7_250), "0:07.250");
  assert.equal(format.preciseClock(-40), "\u22120:00.040");
});

test("durations name their units and never round up into the next one", () => {
  for (const [ms, text] of /** @type {const} */ ([
    [0, "0 ms"],
    [999, "999 ms"],
    [4_250, "4.2 s"],
    [9_999, "9.9 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [185_000, "3 min 5 s"],
    [7_800_000, "2 h 10 min"],
    [90_000_000, "1 d 1 h"],
    [-185_000, "\u22123 min 5 s"],
  ])) {
    assert.equal(format.duration(ms, "en"), text);
  }
  assert.equal(format.duration(4_250, "de"), "4,2 s");
  assert.equal(format.spokenDuration(185_000, "en"), "3 minutes 5 seconds");
  assert.equal(format.spokenDuration(0, "en"), "0 seconds");
  assert.equal(format.spokenDuration(3_600_000, "en"), "1 hour");
});

test("sizes and counts", () => {
  assert.equal(format.bytes(640, "en"), "640 B");
  assert.equal(format.bytes(12_345, "en"), "12.3 kB");
  assert.equal(format.bytes(512_000, "en"), "512 kB");
  assert.equal(format.bytes(4_500_000, "en"), "4.5 MB");
  assert.equal(format.count(1_234, "en"), "1,234");
  assert.equal(format.shortCount(1_234, "en"), "1,234");
  assert.equal(format.shortCount(12_345, "en"), "12.3K");
  assert.equal(format.plural(1, "event", "events", "en"), "1 event");
  assert.equal(format.plural(2, "event", "events", "en"), "2 events");
  assert.equal(format.percent(0.034, "en"), "3.4%");
});

test("a device's zone is an offset or a name, or nothing that a clock could be shown in", () => {
  assert.equal(format.parseZone("UTC+02:00"), 120);
  assert.equal(format.parseZone("UTC-03:30"), -210);
  assert.equal(format.parseZone("GMT+5"), 300);
  assert.equal(format.parseZone("UTC"), 0);
  assert.equal(format.parseZone("Europe/Berlin"), "Europe/Berlin");
  for (const wrong of ["", "  ", "UTC+99:00", "Mars/Base", "<b>", "+", "constructor"]) {
    assert.equal(format.parseZone(wrong), null, wrong);
  }
  assert.equal(format.zoneName(120), "UTC+02:00");
  assert.equal(format.zoneName(-210), "UTC\u221203:30");
  assert.equal(format.zoneName(0), "UTC");
  assert.equal(format.shortZoneName(120), "UTC+2");
  assert.equal(format.shortZoneName(-210), "UTC\u22123:30");
  assert.equal(format.shortZoneName(660), "UTC+11");
  assert.equal(format.shortZoneName("Europe/Berlin"), "Europe/Berlin");
});

test("times are shown in the zone asked for, with the year when it is another", () => {
  const at = Date.UTC(2026, 0, 1, 0, 30);
  const shown = (/** @type {number | string} */ zone, /** @type {number} */ now_ms) =>
    format.dateTime(at, { zone, now_ms, locale: "en-GB" });
  assert.equal(shown(0, Date.UTC(2026, 5, 1)), "1 Jan, 00:30");
  assert.equal(shown(120, Date.UTC(2026, 5, 1)), "1 Jan, 02:30");
  assert.equal(shown(-60, Date.UTC(2026, 5, 1)), "31 Dec 2025, 23:30");
  assert.equal(shown("Europe/Berlin", Date.UTC(2026, 5, 1)), "1 Jan, 01:30");
  assert.equal(format.fullTime(at, { zone: -60, locale: "en-GB" }), "31 Dec 2025, 23:30:00 UTC\u221201:00");
  assert.equal(format.dateTime(Infinity, { zone: 0 }), "unknown time");
  assert.equal(format.dateTime(8.64e15, { zone: 120 }), "unknown time", "out of a date's range");
});

test("how long ago", () => {
  const now = Date.UTC(2026, 0, 10, 12);
  assert.equal(format.ago(now - 20_000, now, "en"), "just now");
  assert.equal(format.ago(now - 5 * 60_000, now, "en"), "5 min. ago");
  assert.equal(format.ago(now - 3 * 3_600_000, now, "en"), "3 hr. ago");
  assert.equal(format.ago(now - 26 * 3_600_000, now, "en"), "yesterday");
  assert.equal(format.ago(now + 3 * 3_600_000, now, "en"), "in 3 hr.");
});

test("countries by name; what is no code stays as it was sent", () => {
  assert.equal(format.country("DE", "en"), "Germany");
  assert.equal(format.country("de", "en"), "Germany");
  assert.equal(format.country("UN", "en"), "", "unknown");
  assert.equal(format.country("<b>", "en"), "<b>");
  assert.equal(format.country("", "en"), "");
});
