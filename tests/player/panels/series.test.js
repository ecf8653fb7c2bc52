import assert from "node:assert/strict";
import { test } from "node:test";

import { broken, downsample, factsOf, seriesOf, summaryOf, valueAt, valueText } from "../../../player/panels/series.js";

/** @param {[t: number, name: string, value: number][]} samples */
function performance(samples) {
  return {
    t: samples.map(([t]) => t),
    i: samples.map((_, at) => at),
    name: samples.map(([, name]) => name),
    value: samples.map(([, , value]) => value),
  };
}

test("memory is in MiB on both platforms, sent as bytes by iOS and as MiB by Android", () => {
  const [ios] = seriesOf(performance([[0, "memoryUsage", 268_435_456]]), "ios");
  const [android] = seriesOf(performance([[0, "memoryUsage", 256]]), "android");
  assert.deepEqual([ios.unit, ios.v], ["MiB", [256]]);
  assert.deepEqual([android.unit, android.v], ["MiB", [256]]);
});

test("the CPU of Android is no percentage", () => {
  const samples = performance([[0, "mainThreadCPU", 37]]);
  assert.equal(valueText(seriesOf(samples, "ios")[0], 37), "37 %");
  const [android] = seriesOf(samples, "android");
  assert.equal(valueText(android, 37), "37 ms");
  assert.doesNotMatch(android.title, /CPU/);
});

test("states have names, their own on Android; names that nobody knows are shown as sent", () => {
  const samples = performance([
    [0, "thermalState", 2],
    [0, "orientation", 3],
    [0, "constructor", 7],
  ]);
  const [thermal, orientation, unknown] = seriesOf(samples, "android");
  assert.equal(valueText(thermal, 2), "serious");
  assert.equal(thermal.shape, "steps");
  assert.equal(valueText(orientation, 3), "landscape");
  assert.deepEqual([unknown.title, valueText(unknown, 7)], ["constructor", "7"]);
});

test("only the series that exist, the usual ones first; what is told once is a fact", () => {
  const samples = performance([
    [0, "orientation", 1],
    [0, "fps", 60],
    [1, "background", 1],
    [2, "mainThreadCPU", 5],
    [3, "memoryWarning", 0],
    [4, "physicalMemory", 268_435_456],
    [5, "systemUptime", 90],
  ]);
  assert.deepEqual(
    seriesOf(samples, "android").map(({ name }) => name),
    ["mainThreadCPU", "fps", "orientation", "memoryWarning"],
  );
  assert.deepEqual(factsOf(samples, "android"), [
    ["Physical memory", "256 MiB"],
    ["Uptime", "90 s"],
  ]);
  assert.deepEqual(seriesOf(undefined, "ios"), []);
});

test("least, mean, greatest, and the value at the playhead", () => {
  const [series] = seriesOf(
    performance([
      [0, "fps", 60],
      [10, "fps", 20],
      [20, "fps", 40],
    ]),
    "android",
  );
  assert.deepEqual(summaryOf(series), { count: 3, least: 20, mean: 40, most: 60 });
  assert.deepEqual(
    [-1, 0, 15, 99].map((at_ms) => valueAt(series, at_ms)),
    [undefined, 60, 20, 40],
  );
  assert.equal(valueText(series, undefined), "\u2013");
});

test("few points are drawn as they are, with those beside the window", () => {
  const t = [0, 10, 20, 30, 40];
  assert.deepEqual(downsample(t, [1, 2, 3, 4, 5], { from: 12, to: 22, pixels: 100 }).t, [10, 20, 30]);
});

test("of many points each column keeps its least and its greatest", () => {
  const t = Array.from({ length: 10_000 }, (_, at) => at);
  const v = t.map((at) => (at === 5_555 ? 1_000 : at === 7_777 ? -1_000 : Math.sin(at)));
  const drawn = downsample(t, v, { from: 0, to: 10_000, pixels: 200 });
  assert.ok(drawn.t.length <= 404 && drawn.t.length >= 200);
  assert.ok(drawn.v.includes(1_000) && drawn.v.includes(-1_000));
  assert.ok(drawn.t.every((each, at) => at === 0 || each > drawn.t[at - 1]));
  assert.ok(drawn.t.every((each, at) => v[each] === drawn.v[at]));
});

test("a curve is broken where nothing was measured", () => {
  const points = { t: [0, 10, 50, 60], v: [1, 2, 3, 4] };
  assert.deepEqual(broken(points, [{ from: 20, to: 45 }]), { t: [0, 10, 20, 50, 60], v: [1, 2, null, 3, 4] });
  assert.deepEqual(broken(points, [{ from: 10, to: 50 }]), { t: [0, 10, 11, 50, 60], v: [1, 2, null, 3, 4] });
  assert.deepEqual(broken(points, [{ from: 70, to: 80 }]).v, [1, 2, 3, 4]);
  assert.deepEqual(broken(points, [{ from: 2, to: 9 }, { from: 50, to: 58 }]).v, [1, null, 2, 3, null, 4]);
});
