import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { createPictureQueue } from "../../player/replay/picture_queue.js";

/** @typedef {import("../../player/replay/picture_queue.js").Report} Report */

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A queue whose network and decoder the test drives. @param {{max_bytes?: number}} [more] */
function rig(more) {
  /** @type {Map<string, {answer: (reply: Response) => void, fail: () => void, signal: AbortSignal}>} */
  const asked = new Map();
  /** @type {string[]} */
  const order = [];
  /** @type {Report[]} */
  const reports = [];
  /** @type {{preview: boolean}[]} */
  const decoded = [];
  const queue = createPictureQueue({
    load: (url, signal) =>
      new Promise((answer, reject) => {
        order.push(url);
        const fail = () => reject(new TypeError("network"));
        signal.addEventListener("abort", fail);
        asked.set(url, { answer, fail, signal });
      }),
    decode: async (picture, preview) => {
      decoded.push({ preview });
      if ((await picture.text()) === "damaged") throw new Error("not a picture");
      return /** @type {any} */ ({ close() {} });
    },
    tell: (report) => reports.push(report),
    ...more,
  });
  queue.take({ type: "open", address: { before: "/p/", after: "" } });
  return {
    queue,
    order,
    reports,
    decoded,
    asked,
    /** @param {number[]} decode @param {number[]} [fetch] @param {number[]} [previews] */
    want: (decode, fetch = decode, previews = []) => queue.take({ type: "want", decode, fetch, previews }),
    /** @param {number} name @param {string} [body] @param {number} [status] */
    async answer(name, body = "picture", status = 200) {
      asked.get(`/p/${name}`)?.answer(new Response(body, { status }));
      await settled();
      await settled();
    },
    /** @param {Report["type"]} type */
    of: (type) => reports.filter((report) => report.type === type).map((report) => report.name),
  };
}

test("few at a time, the most urgent first, decoded when wanted", async () => {
  const each = rig();
  each.want([5, 6], [5, 6, 7, 8, 9, 10]);
  assert.deepEqual(each.order, ["/p/5", "/p/6", "/p/7", "/p/8"]);
  await each.answer(7);
  await each.answer(5);
  assert.deepEqual(each.of("held"), [7, 5]);
  assert.deepEqual(each.of("picture"), [5]);
  assert.deepEqual(each.order.slice(4), ["/p/9", "/p/10"]);
});

test("what is no longer wanted is given up", async () => {
  const each = rig();
  each.want([1, 2, 3, 4]);
  each.want([9, 4]);
  await settled();
  assert.equal(each.asked.get("/p/1")?.signal.aborted, true);
  assert.equal(each.asked.get("/p/4")?.signal.aborted, false);
  assert.ok(each.order.includes("/p/9"));
  assert.deepEqual(each.of("failed"), [], "giving up is no failure");
});

test("a picture is decoded once, and again after it was let go, without fetching it again", async () => {
  const each = rig();
  each.want([1]);
  await each.answer(1);
  each.want([1, 2]);
  await settled();
  assert.deepEqual(each.of("picture"), [1]);
  each.queue.take({ type: "let_go", decoded: [1], previews: [] });
  await settled();
  assert.deepEqual(each.of("picture"), [1, 1]);
  assert.equal(each.order.filter((url) => url === "/p/1").length, 1);
});

test("previews are decoded beside the large pictures", async () => {
  const each = rig();
  each.want([1], [1], [1]);
  await each.answer(1);
  assert.deepEqual(each.decoded, [{ preview: false }, { preview: true }]);
});

test("damaged and missing pictures fail for good, one by one", async () => {
  const each = rig();
  each.want([1, 2, 3]);
  await each.answer(1, "damaged");
  await each.answer(2, "", 404);
  await each.answer(3);
  assert.deepEqual(each.reports.filter((report) => report.type === "failed"), [
    { type: "failed", name: 1, reason: "damaged" },
    { type: "failed", name: 2, reason: "missing" },
  ]);
  assert.deepEqual(each.of("picture"), [3]);
  each.want([2, 1, 3]);
  assert.equal(each.order.length, 3);
});

test("a lost session is told as such", async () => {
  const each = rig();
  each.want([1]);
  await each.answer(1, "", 401);
  assert.deepEqual(each.reports, [{ type: "failed", name: 1, reason: "signed_out" }]);
});

test("an unreachable server is asked again, ever more seldom, as long as the picture is wanted", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const each = rig();
    each.want([1]);
    each.asked.get("/p/1")?.fail();
    await settled();
    assert.deepEqual(each.reports, [{ type: "failed", name: 1, reason: "unreachable" }]);
    mock.timers.tick(1_000);
    await each.answer(1, "", 503);
    mock.timers.tick(1_000);
    assert.equal(each.order.length, 2, "two seconds this time");
    mock.timers.tick(1_000);
    await each.answer(1);
    assert.deepEqual(each.of("picture"), [1]);
  } finally {
    mock.timers.reset();
  }
});

test("compressed pictures are kept up to a bound, the wanted ones in any case", async () => {
  const each = rig({ max_bytes: 20 });
  each.want([1]);
  await each.answer(1, "x".repeat(9));
  each.want([2]);
  await each.answer(2, "x".repeat(9));
  each.want([3]);
  await each.answer(3, "x".repeat(30));
  assert.deepEqual(each.reports.filter((report) => report.type === "held" && !report.held).map(({ name }) => name), [1, 2]);
  each.want([1]);
  assert.equal(each.order.filter((url) => url === "/p/1").length, 2);
});
