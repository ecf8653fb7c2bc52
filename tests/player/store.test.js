import assert from "node:assert/strict";
import { test } from "node:test";

import { createStore } from "../../player/store.js";

/** A scheduler whose frames the test runs by hand. */
function frames() {
  /** @type {(() => void)[]} */
  let waiting = [];
  return {
    /** @param {() => void} callback */
    schedule: (callback) => waiting.push(callback),
    /** @returns {number} how many ran */
    run() {
      const now = waiting;
      waiting = [];
      for (const callback of now) callback();
      return now.length;
    },
  };
}

test("many changes are one drawing of the last state", () => {
  const screen = frames();
  /** @type {object[]} */
  const drawn = [];
  const store = createStore({ a: 1, b: "x" }, (state) => drawn.push(state), screen.schedule);
  store.set({ a: 2 });
  store.set({ b: "y" });
  assert.deepEqual(store.state, { a: 2, b: "y" }, "the state is there at once");
  assert.deepEqual(drawn, [], "the drawing is not");
  assert.equal(screen.run(), 1);
  assert.deepEqual(drawn, [{ a: 2, b: "y" }]);
});

test("what changes nothing draws nothing", () => {
  const screen = frames();
  let drawings = 0;
  const store = createStore({ a: NaN, list: [1] }, () => (drawings += 1), screen.schedule);
  screen.run();
  const { list } = store.state;
  store.set({ a: NaN, list });
  store.set({});
  assert.equal(screen.run(), 0);
  store.set({ list: [...list] });
  screen.run();
  assert.equal(drawings, 2);
});

test("a change made while drawing is drawn in the next frame", () => {
  const screen = frames();
  /** @type {number[]} */
  const drawn = [];
  const store = createStore(
    { a: 0 },
    ({ a }) => {
      drawn.push(a);
      if (a < 2) store.set({ a: a + 1 });
    },
    screen.schedule,
  );
  while (screen.run());
  assert.deepEqual(drawn, [0, 1, 2]);
});

test("earlier states stay as they were, and the initial object is not ours", () => {
  const screen = frames();
  const initial = { a: 1 };
  const store = createStore(initial, () => {}, screen.schedule);
  const before = store.state;
  store.set({ a: 2 });
  assert.deepEqual([initial.a, before.a, store.state.a], [1, 1, 2]);
});

test("a closed store draws no more, not even what was asked for before", () => {
  const screen = frames();
  let drawings = 0;
  const store = createStore({ a: 1 }, () => (drawings += 1), screen.schedule);
  store.close();
  screen.run();
  store.set({ a: 2 });
  assert.equal(screen.run(), 0);
  assert.equal(drawings, 0);
});
