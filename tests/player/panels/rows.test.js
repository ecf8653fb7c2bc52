import assert from "node:assert/strict";
import { test } from "node:test";

import { keyOf, kindOf, mergeTracks, textOf, valueOf } from "../../../player/panels/rows.js";

const TRACKS = {
  taps: { t: [10, 30, 30], i: [1, 5, 7], label: ["Buy", "Pay", "Pay"] },
  logs: { t: [10, 20, 30], i: [0, 3, 6], content: ["a", "b", "c"] },
  empty: { t: [], i: [] },
};

test("rows of several tracks come by time, then by place in the recording", () => {
  const rows = mergeTracks(TRACKS, ["taps", "logs", "empty", "absent"]);
  const order = Array.from({ length: rows.count }, (_, row) => [kindOf(rows, row), valueOf(rows, row, "i")]);
  assert.deepEqual(order, [
    ["logs", 0],
    ["taps", 1],
    ["logs", 3],
    ["taps", 5],
    ["logs", 6],
    ["taps", 7],
  ]);
  assert.deepEqual([...rows.t], [10, 10, 20, 30, 30, 30]);
});

test("a track that is not in order is brought into order", () => {
  const rows = mergeTracks({ taps: { t: [5, 1, 3], i: [0, 1, 2], label: ["c", "a", "b"] } }, ["taps"]);
  assert.deepEqual(
    [0, 1, 2].map((row) => textOf(rows, row, "label")),
    ["a", "b", "c"],
  );
});

test("columns that a track lacks are empty", () => {
  const rows = mergeTracks(TRACKS, ["taps", "logs"]);
  assert.equal(textOf(rows, 0, "label"), "");
  assert.equal(valueOf(rows, 0, "label"), undefined);
});

test("a row keeps its key when others come before it and the clock is corrected anew", () => {
  const before = mergeTracks({ taps: { t: [10, 30, 30], i: [0, 1, 2], label: ["a", "b", "c"] } }, ["taps"], 1000);
  const later = mergeTracks(
    { taps: { t: [5, 17, 37, 37], i: [0, 4, 7, 9], label: ["new", "a", "b", "c"] } },
    ["taps"],
    993,
  );
  const keys = [0, 1, 2].map((row) => keyOf(before, row));
  assert.deepEqual(
    keys,
    [1, 2, 3].map((row) => keyOf(later, row)),
  );
  assert.equal(new Set(keys).size, 3);
});

test("no two rows have the same key", () => {
  const collected = { t: [10, 10], i: [-1, -1], name: ["a", "b"] };
  const rows = mergeTracks({ ...TRACKS, collected }, ["taps", "logs", "collected"]);
  assert.equal(new Set(Array.from({ length: rows.count }, (_, row) => keyOf(rows, row))).size, rows.count);
});
