import assert from "node:assert/strict";
import { test } from "node:test";

import { fit, heldSideways, kindOf, screenOf, touchScale, turnsOf } from "../../player/replay/geometry.js";

/** @param {string} platform @param {number} width @param {number} height @param {string} [type] @returns {any} */
const replay = (platform, width, height, type = "mobile") => ({ meta: { platform, device: { width, height, type } } });
const iphone = replay("ios", 393, 852);
const android = replay("android", 1080, 2400);

test("touches are scaled to the picture: points on iOS, pixels on Android", () => {
  assert.equal(touchScale(iphone, { width: 491.25, height: 1065 }), 1.25);
  assert.equal(touchScale(android, { width: 480, height: 1067 }), 480 / 1080);
});

test("a turned picture scales touches of the turned window", () => {
  assert.equal(touchScale(iphone, { width: 1065, height: 491.25 }), 1.25);
  assert.equal(touchScale(android, { width: 1067, height: 480 }), 480 / 1080);
});

test("a device that does not tell its size has points of the SDK's usual scale, or pixels of the picture", () => {
  assert.equal(touchScale(replay("ios", 0, 0), { width: 491, height: 1065 }), 1.25);
  assert.equal(touchScale(replay("android", 0, 0), { width: 480, height: 1067 }), 1);
});

test("part of an iPad's screen has the points of its window, not of the device", () => {
  assert.equal(touchScale(replay("ios", 1024, 1366, "tablet"), { width: 640, height: 1707 }), 1.25);
});

test("a window without the system's bars scales by its short side", () => {
  assert.equal(touchScale(replay("android", 1080, 2280), { width: 480, height: 1067 }), 480 / 1080);
});

test("the screen is as it is held", () => {
  assert.deepEqual(screenOf(iphone, null, null), { width: 393, height: 852 });
  assert.deepEqual(screenOf(iphone, null, true), { width: 852, height: 393 });
  assert.deepEqual(screenOf(iphone, { width: 1065, height: 491 }, false), { width: 852, height: 393 });
  assert.deepEqual(screenOf(replay("ios", 0, 0), { width: 300, height: 200 }, null), { width: 300, height: 200 });
});

test("turning is what the phone says; lying flat says nothing", () => {
  const value = [1, 3, 5, 6, 4, 2];
  const turns = turnsOf({ performance: { t: value.map((_, k) => k * 10), i: [], name: value.map(() => "orientation"), value } });
  assert.deepEqual([-1, 0, 10, 25, 35, 45, 60].map((t) => heldSideways(turns, t)), [null, false, true, true, true, true, false]);
  assert.equal(heldSideways(turnsOf({}), 5), null);
});

test("kinds of devices by shape where they do not tell", () => {
  assert.equal(kindOf({ width: 393, height: 852 }, ""), "phone");
  assert.equal(kindOf({ width: 1024, height: 1366 }, ""), "tablet");
  assert.equal(kindOf({ width: 198, height: 242 }, ""), "watch");
  assert.equal(kindOf({ width: 768, height: 1024 }, "mobile"), "phone");
  assert.equal(kindOf({ width: 400, height: 450 }, "tablet"), "tablet");
});

test("a device fits its box, whatever its shape, and keeps it", () => {
  const box = { width: 500, height: 600 };
  for (const [width, height] of [[393, 852], [852, 393], [1024, 1366], [200, 240], [1080, 5000], [3000, 100]]) {
    const device = fit({ width, height }, "phone", box);
    assert.ok(device.width <= box.width + 2 && device.height <= box.height + 2, `${width} x ${height}`);
    const shown = (device.width - 2 * device.bezel) / (device.height - 2 * device.bezel);
    assert.ok(Math.abs(Math.log(shown / (width / height))) < 0.05, `${width} x ${height} became ${shown}`);
  }
});
