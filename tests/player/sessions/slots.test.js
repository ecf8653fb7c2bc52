import assert from "node:assert/strict";
import { test } from "node:test";

import { createSlots } from "../../../player/sessions/slots.js";

test("while some rows stay they keep their elements, and who comes gets new ones", () => {
  const slots = createSlots();
  assert.deepEqual(slots(["a", "b", "c"]), [0, 1, 2]);
  assert.deepEqual(slots(["b", "c", "d"]), [1, 2, 3]);
  assert.deepEqual(slots(["new", "b", "c", "d"]), [4, 1, 2, 3]);
});

test("a jump fills the elements that are there, each in its place", () => {
  const slots = createSlots();
  assert.deepEqual(slots(["a", "b", "c"]), [0, 1, 2]);
  assert.deepEqual(slots(["x", "y", "z"]), [0, 1, 2]);
  assert.deepEqual(slots(["u", "v", "w", "t"]), [0, 1, 2, 3]);
});

test("no two rows have the same element", () => {
  const slots = createSlots();
  const ids = Array.from({ length: 500 }, (_, n) => `${n}`);
  for (const [first, count] of [[0, 20], [5, 24], [100, 3], [101, 24], [90, 30], [400, 24]]) {
    for (const kept of [[], ["kept"]]) {
      const found = slots([...ids.slice(first, first + count), ...kept]);
      assert.equal(new Set(found).size, found.length);
    }
  }
});
