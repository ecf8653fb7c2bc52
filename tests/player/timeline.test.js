import assert from "node:assert/strict";
import { test } from "node:test";

import { densityOf, lanesOf, marksNear } from "../../player/replay/lanes.js";
import { layoutOf } from "../../player/replay/timeline_paint.js";
import { isWhole, shifted, showing, zoomed } from "../../player/replay/timeline_window.js";

test("marks fall on the pixel of their time, each once", () => {
  assert.deepEqual([...densityOf([0, 10, 49, 50, 99, 100], 0, 100, 2)], [3, 3]);
  assert.deepEqual([...densityOf([0, 10, 49, 50, 99, 100], 40, 60, 4)], [0, 1, 1, 0]);
  assert.deepEqual([...densityOf([1], 0, 100, 0)], []);
  const many = Float64Array.from({ length: 100_000 }, (_, k) => k);
  assert.equal(densityOf(many, 0, 100_000, 1_000).reduce((sum, count) => sum + count, 0), 100_000);
});

/** @returns {any} */
const session = () => ({
  tracks: {
    taps: { t: [1_000, 5_000], i: [], label: ["UIButton 'Pay'", ""] },
    network: {
      t: [1_050, 9_000], i: [], method: ["GET", "POST"], url: ["https://a.example/v1/cart?x=1", "/pay"], status: [200, 503],
      duration: [80, 1_200],
    },
    logs: { t: [1_010, 1_020], i: [], severity: ["info", "error"], content: ["fine", "broken\n"] },
    crashes: { t: [9_100], i: [], name: ["Boom"], reason: [""] },
  },
  issues: [{ type: "crash", t: 9_100, title: "Boom" }, { type: "tap_rage", t: 1_000, title: "Pay" }],
});

test("the most telling marks near a moment are named, each once", () => {
  const lanes = lanesOf(session());
  assert.deepEqual(marksNear(lanes, 1_000, 100, 3).map(({ text }) => text), [
    "Tap rage: Pay", "Tap Pay", "Log: broken",
  ]);
  assert.deepEqual(marksNear(lanes, 9_050, 100, 2).map(({ text }) => text), ["Crash: Boom", "POST 503 /pay, 1.2 s"]);
  assert.deepEqual(marksNear(lanes, 4_000, 100, 3), []);
});

test("failed calls stand out", () => {
  const network = lanesOf(session()).find(({ id }) => id === "network");
  assert.deepEqual(network?.marks.map(({ id, times }) => [id, times.length]), [["network", 2], ["network-error", 1]]);
});

test("an empty session has empty lanes", () => {
  const lanes = lanesOf(/** @type {any} */ ({ tracks: {}, issues: [] }));
  assert.ok(lanes.every(({ marks }) => marks.every(({ times }) => times.length === 0)));
});

test("lanes lie below one another", () => {
  const { track, screens, lanes, height } = layoutOf(4, true);
  const strips = [track, /** @type {any} */ (screens), ...lanes];
  strips.slice(1).forEach((strip, k) => assert.ok(strip.top >= strips[k].top + strips[k].height));
  assert.ok(height >= strips.at(-1).top + strips.at(-1).height);
  assert.ok(layoutOf(4, false).height < height);
});

test("zooming keeps the moment under the pointer where it is", () => {
  const window = zoomed({ from: 0, to: 100_000 }, 25_000, 0.5, 100_000);
  assert.deepEqual(window, { from: 12_500, to: 62_500 });
  assert.equal((25_000 - window.from) / (window.to - window.from), 0.25);
});

test("a window stays within the session and within reason", () => {
  assert.deepEqual(zoomed({ from: 0, to: 50_000 }, 49_000, 9, 100_000), { from: 0, to: 100_000 });
  const closest = zoomed({ from: 0, to: 100_000 }, 100_000, 1e-9, 100_000);
  assert.deepEqual(closest, { from: 96_000, to: 100_000 });
  assert.deepEqual(shifted({ from: 10, to: 20 }, -50, 100), { from: 0, to: 10 });
  assert.deepEqual(shifted({ from: 10, to: 20 }, 500, 100), { from: 90, to: 100 });
  assert.equal(isWhole({ from: 0, to: 100 }, 100), true);
  assert.equal(isWhole({ from: 0, to: 99 }, 100), false);
});

test("the window follows playback", () => {
  const window = { from: 0, to: 10_000 };
  assert.equal(showing(window, 10_000, 100_000), window);
  assert.deepEqual(showing(window, 10_500, 100_000), { from: 9_500, to: 19_500 });
  assert.deepEqual(showing({ from: 50_000, to: 60_000 }, 200, 100_000), { from: 0, to: 10_000 });
});
