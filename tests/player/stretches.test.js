import assert from "node:assert/strict";
import { test } from "node:test";

import { firstAfter, firstFrom, lastAt } from "../../player/replay/search.js";
import { backgroundOf, gapsOf, holes, inactiveOf, stretchAt, subtract } from "../../player/replay/stretches.js";

/** @param {[number, number][]} marks */
const background = (marks) => ({
  performance: { t: marks.map(([t]) => t), name: marks.map(() => "background"), value: marks.map(([, value]) => value) },
});
/** @param {number} from @param {number} to @param {number} step */
const every = (from, to, step) => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, k) => from + k * step);

test("background lasts from leaving to coming back, the last one to the end", () => {
  const marks = /** @type {[number, number][]} */ ([[100, 1], [150, 1], [400, 0], [450, 0], [900, 1]]);
  assert.deepEqual(backgroundOf(background(marks), 1_000), [{ from: 100, to: 400 }, { from: 900, to: 1_000 }]);
  assert.deepEqual(backgroundOf(background([[0, 0]]), 1_000), []);
  assert.deepEqual(backgroundOf({}, 1_000), []);
});

test("missing pictures are a gap unless the app was in the background", () => {
  const pictures = [...every(0, 10_000, 1_000), ...every(60_000, 70_000, 1_000)];
  const tracks = { logs: { t: every(0, 70_000, 2_000) } };
  assert.deepEqual(gapsOf(tracks, pictures, [], 70_000), [{ from: 10_000, to: 60_000, kind: "pictures" }]);
  assert.deepEqual(gapsOf(tracks, pictures, [{ from: 12_000, to: 59_500 }], 70_000), []);
  assert.deepEqual(gapsOf(tracks, pictures, [{ from: 30_000, to: 60_000 }], 70_000), [
    { from: 10_000, to: 30_000, kind: "pictures" },
  ]);
});

test("nothing at all is told apart from no picture", () => {
  const pictures = every(0, 10_000, 1_000);
  const tracks = { logs: { t: every(0, 30_000, 5_000) } };
  assert.deepEqual(gapsOf(tracks, pictures, [], 60_000), [
    { from: 10_000, to: 30_000, kind: "pictures" },
    { from: 30_000, to: 60_000, kind: "all" },
  ]);
});

test("a slow recorder has no gaps between its usual pictures, and a session without pictures none of them", () => {
  assert.deepEqual(gapsOf({}, every(0, 40_000, 8_000), [], 40_000), []);
  assert.deepEqual(gapsOf({ logs: { t: every(0, 40_000, 8_000) } }, [], [], 40_000), []);
});

test("inactive is where nobody does anything, less a moment at both ends", () => {
  const tracks = { taps: { t: [20_000, 22_000] }, inputs: { t: [50_000] }, logs: { t: every(0, 60_000, 500) } };
  assert.deepEqual(inactiveOf(tracks, 60_000), [
    { from: 0, to: 19_000 },
    { from: 24_500, to: 49_000 },
    { from: 52_500, to: 60_000 },
  ]);
});

test("holes and what is left of them", () => {
  assert.deepEqual(holes([-5, 5, 100, 2_000], 50, 300), [{ from: 5, to: 100 }, { from: 100, to: 300 }]);
  assert.deepEqual(holes([], 50, 40), []);
  const others = [{ from: 10, to: 20 }, { from: 50, to: 60 }, { from: 95, to: 300 }];
  assert.deepEqual(subtract([{ from: 0, to: 100 }, { from: 200, to: 310 }], others, 8), [
    { from: 0, to: 10 }, { from: 20, to: 50 }, { from: 60, to: 95 }, { from: 300, to: 310 },
  ]);
});

test("finding the stretch of a moment", () => {
  const stretches = [{ from: 10, to: 20 }, { from: 30, to: 40 }];
  assert.equal(stretchAt(stretches, 9), undefined);
  assert.equal(stretchAt(stretches, 10), stretches[0]);
  assert.equal(stretchAt(stretches, 20), undefined);
  assert.equal(stretchAt(stretches, 39), stretches[1]);
  assert.equal(stretchAt(stretches, 40), undefined);
});

test("binary search among equal times", () => {
  const times = [1, 3, 3, 3, 9];
  assert.deepEqual([0, 1, 3, 8, 9].map((t) => lastAt(times, t)), [-1, 0, 3, 3, 4]);
  assert.deepEqual([0, 3, 10].map((t) => firstAfter(times, t)), [0, 4, 5]);
  assert.deepEqual([0, 3, 4, 10].map((t) => firstFrom(times, t)), [0, 1, 4, 5]);
});
