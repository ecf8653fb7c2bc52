import assert from "node:assert/strict";
import { test } from "node:test";

import { createSlots } from "../../../player/sessions/slots.js";

test("who stays in the page keeps its elements, who comes takes those of who left", () => {
  const slots = createSlots();
  assert.deepEqual(slots(["a", "b", "c"]), [0, 1, 2]);
  assert.deepEqual(slots(["b", "c", "d"]), [1, 2, 0]);
  assert.deepEqual(slots(["new", "b", "c", "d"]), [3, 1, 2, 0]);
});

test("a jump changes no element's place", () => {
  const slots = createSlots();
  assert.deepEqual(slots(["a", "b", "c"]), [0, 1, 2]);
  assert.deepEqual(slots(["x", "y", "z"]), [0, 1, 2]);
});

test("numbers stay as few as rows are in the page at once, and each has one", () => {
  const slots = createSlots();
  const ids = Array.from({ length: 500 }, (_, n) => `${n}`);
  for (const [first, count] of [[0, 20], [5, 24], [100, 3], [101, 24], [90, 30], [400, 24]]) {
    const found = slots([...ids.slice(first, first + count), "kept"]);
    assert.equal(new Set(found).size, found.length);
    assert.ok(Math.max(...found) <= 40);
  }
});
