import assert from "node:assert/strict";
import { test } from "node:test";

import { nameOf, planOf } from "../../player/replay/picture_plan.js";
import { createPictures, stretchesOf } from "../../player/replay/pictures.js";

/** @typedef {import("../../player/replay/picture_queue.js").Order} Order */
/** @typedef {import("../../player/replay/picture_queue.js").Report} Report */

/** Pictures every second, named 1000, 1001 …; `same[k]`: first of equal content. @param {number} count @param {number[]} [same] */
function framesOf(count, same) {
  const each = Array.from({ length: count }, (_, k) => k);
  return {
    t: each.map((k) => k * 1_000), name: each.map((k) => 1_000 + k), bytes: each.map(() => 9), format: each.map(() => 0),
    formats: ["jpeg"], same: same ?? each,
  };
}

const still = { position_ms: 5_500, speed: 1, playing: false, scrubbing: false, way: /** @type {const} */ (1) };

test("the picture of now comes first, then its neighbours", () => {
  const { decode } = planOf(framesOf(20), still, 20);
  assert.deepEqual(decode, [1_005, 1_006, 1_007, 1_004, 1_008, 1_009, 1_003]);
});

test("scrubbing back looks back", () => {
  const { decode } = planOf(framesOf(20), { ...still, scrubbing: true, way: -1 }, 20);
  assert.deepEqual(decode.slice(0, 4), [1_005, 1_004, 1_003, 1_006]);
});

test("playing faster looks further ahead, and never decodes more than there is room for", () => {
  const playing = { ...still, playing: true };
  const slow = planOf(framesOf(400), playing, 20);
  const fast = planOf(framesOf(400), { ...playing, speed: 8 }, 20);
  assert.deepEqual(slow.decode, [1_005, 1_006, 1_007]);
  assert.equal(fast.decode.length, 13);
  assert.ok(fast.fetch.length > slow.fetch.length);
  assert.equal(planOf(framesOf(400), { ...playing, speed: 16 }, 10).decode.length, 10);
});

test("the next picture is decoded however far it is", () => {
  const frames = { ...framesOf(3), t: [0, 1_000, 60_000] };
  assert.deepEqual(planOf(frames, { ...still, position_ms: 1_100, playing: true }, 9).decode, [1_001]);
  assert.deepEqual(planOf(frames, { ...still, position_ms: 50_000, playing: true }, 9).decode, [1_001, 1_002]);
});

test("equal pictures are one", () => {
  const frames = framesOf(6, [0, 0, 0, 3, 0, 3]);
  assert.equal(nameOf(frames, 4), 1_000);
  assert.deepEqual(planOf(frames, still, 9).decode, [1_003, 1_000]);
});

test("before the first picture the first ones are prepared", () => {
  const frames = { ...framesOf(3), t: [2_000, 3_000, 4_000] };
  assert.deepEqual(planOf(frames, { ...still, position_ms: 0 }, 9).decode, [1_000, 1_001, 1_002]);
  assert.deepEqual(planOf(framesOf(0), still, 9), { decode: [], fetch: [] });
});

test("stretches whose pictures are there", () => {
  assert.deepEqual(stretchesOf(framesOf(7, [0, 1, 2, 3, 1, 5, 6]), new Set([1_001, 1_002])), [
    { from: 1_000, to: 3_000 },
    { from: 4_000, to: 5_000 },
  ]);
});

/** A worker that the test answers for. */
function puppet() {
  /** @type {Order[]} */
  const orders = [];
  const worker = {
    ended: false,
    /** @type {any} */
    onmessage: null,
    postMessage: (/** @type {Order} */ order) => void orders.push(order),
    terminate: () => void (worker.ended = true),
  };
  let open = 0;
  const bitmap = (width = 100) => {
    open++;
    return /** @type {any} */ ({ width, height: 200, close: () => void open-- });
  };
  return {
    worker,
    orders,
    bitmap,
    get open() {
      return open;
    },
    /** @param {Report} report */
    say: (report) => worker.onmessage({ data: report }),
    /** @param {number} name */
    give(name, preview = false, width = 100) {
      this.say({ type: "picture", name, preview, bitmap: bitmap(width) });
    },
  };
}

test("an earlier picture stands in until the wanted one is there", () => {
  const hand = puppet();
  const pictures = createPictures({ before: "/p/", after: "" }, () => {}, /** @type {any} */ (hand.worker));
  pictures.show(framesOf(20));
  pictures.want(still);
  assert.equal(pictures.at(5_500).bitmap, null);
  hand.give(1_003);
  const standing = pictures.at(5_500);
  assert.deepEqual([standing.bitmap !== null, standing.exact, standing.place], [true, false, 5]);
  hand.give(1_005);
  assert.equal(pictures.at(5_500).exact, true);
  assert.equal(pictures.at(-1).place, -1);
});

test("a picture that fails is told as such and does not hide the others", () => {
  const hand = puppet();
  const pictures = createPictures({ before: "/p/", after: "" }, () => {}, /** @type {any} */ (hand.worker));
  pictures.show(framesOf(20));
  hand.say({ type: "failed", name: 1_005, reason: "damaged" });
  assert.equal(pictures.at(5_500).failed, "damaged");
  assert.equal(pictures.at(6_500).failed, null);
  hand.give(1_005);
  assert.equal(pictures.at(5_500).failed, null);
});

test("scrubbing through a long session keeps a bounded number of pictures open", () => {
  const hand = puppet();
  const pictures = createPictures({ before: "/p/", after: "" }, () => {}, /** @type {any} */ (hand.worker));
  pictures.show(framesOf(3_600));
  for (let k = 0; k < 3_600; k++) {
    pictures.want({ ...still, position_ms: k * 1_000, scrubbing: true });
    pictures.preview(k * 1_000);
    hand.give(1_000 + k);
    hand.give(1_000 + k, true);
  }
  assert.equal(hand.open, pictures.decoded.pictures + pictures.decoded.previews);
  assert.ok(pictures.decoded.pictures <= 48 && pictures.decoded.previews <= 240);
  const let_go = hand.orders.flatMap((order) => (order.type === "let_go" ? order.decoded : []));
  assert.equal(let_go.length, 3_600 - pictures.decoded.pictures);
  pictures.close();
  assert.deepEqual([hand.open, hand.worker.ended], [0, true]);
});

test("large pictures leave room for fewer", () => {
  const hand = puppet();
  const pictures = createPictures({ before: "/p/", after: "" }, () => {}, /** @type {any} */ (hand.worker));
  pictures.show(framesOf(100));
  for (let k = 0; k < 40; k++) hand.give(1_000 + k, false, 20_000);
  assert.equal(pictures.decoded.pictures, 8);
});

test("nothing is asked for twice in a row", () => {
  const hand = puppet();
  const pictures = createPictures({ before: "/p/", after: "" }, () => {}, /** @type {any} */ (hand.worker));
  pictures.show(framesOf(100));
  pictures.want(still);
  pictures.want({ ...still, position_ms: 5_600 });
  assert.equal(hand.orders.filter((order) => order.type === "want").length, 1);
});
