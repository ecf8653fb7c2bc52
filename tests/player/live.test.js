import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { FAILED_MS, SELDOM_MS, SOON_MS, keepUpToDate, nextWait } from "../../player/replay/live.js";

/** @type {EventTarget & {hidden: boolean}} */
let page;

beforeEach(() => {
  page = Object.assign(new EventTarget(), { hidden: false });
  Object.assign(globalThis, { document: page });
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  Reflect.deleteProperty(globalThis, "document");
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the wait grows while nothing comes, up to a bound, and is short again when something does", () => {
  let wait = SOON_MS;
  for (let k = 0; k < 20; k++) wait = nextWait(wait, "same");
  assert.equal(wait, SELDOM_MS);
  for (let k = 0; k < 20; k++) wait = nextWait(wait, "failed");
  assert.equal(wait, FAILED_MS);
  assert.equal(nextWait(wait, "new"), SOON_MS);
  assert.equal(nextWait(SOON_MS, "new", 1_000), 9_000, "what costs time is asked for less often");
});

test("nobody asks a session at rest again", async () => {
  /** @type {("new" | "final")[]} */
  const outcomes = ["new", "final"];
  let asked = 0;
  keepUpToDate(async () => outcomes[asked++], () => {});
  for (let k = 0; k < 5; k++) {
    mock.timers.tick(SOON_MS);
    await settled();
  }
  assert.equal(asked, 2);
});

test("a failure is told and tried again", async () => {
  /** @type {boolean[]} */
  const told = [];
  let asked = 0;
  const stop = keepUpToDate(async () => {
    if (asked++ === 0) throw new Error("away");
    return "same";
  }, (failed) => told.push(failed));
  for (let k = 0; k < 2; k++) {
    mock.timers.tick(SOON_MS * 2);
    await settled();
  }
  stop();
  assert.deepEqual(told, [true, false]);
});

test("a hidden page asks nothing until it is seen, then at once", async () => {
  let asked = 0;
  const stop = keepUpToDate(async () => (asked++, "same"), () => {});
  page.hidden = true;
  page.dispatchEvent(new Event("visibilitychange"));
  mock.timers.tick(FAILED_MS);
  await settled();
  assert.equal(asked, 0);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  mock.timers.tick(1);
  await settled();
  assert.equal(asked, 1);
  stop();
  mock.timers.tick(FAILED_MS);
  await settled();
  assert.equal(asked, 1);
});
