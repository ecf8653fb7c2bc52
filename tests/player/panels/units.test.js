import assert from "node:assert/strict";
import { test } from "node:test";

import { binarySize, exactTime } from "../../../player/panels/units.js";

test("sizes in powers of 1024", () => {
  assert.deepEqual([0, 512, 1536, 6_090_129_408].map(binarySize), ["0 B", "512 B", "1.5 KiB", "5.7 GiB"]);
});

test("times to the millisecond in the device's zone", () => {
  assert.equal(exactTime(1_767_225_600_123, "UTC+02:00"), "2026-01-01 02:00:00.123 UTC+02:00");
  assert.equal(exactTime(1_767_225_600_123, "nonsense"), "2026-01-01 00:00:00.123 UTC");
  assert.equal(exactTime(1_767_225_600_123, "Europe/Berlin"), "2026-01-01 01:00:00.123 Europe/Berlin");
});

test("a time that no date can hold is said to be unknown", () => {
  assert.equal(exactTime(Number.NaN, "UTC"), "unknown time");
  assert.equal(exactTime(8.64e15, "UTC+02:00"), "unknown time");
});
