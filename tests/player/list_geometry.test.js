import assert from "node:assert/strict";
import { test } from "node:test";

import { contentHeight, MAX_HEIGHT, scrollTo, windowAt } from "../../player/draw/list_geometry.js";

const SHORT = { count: 1000, row: 30, view: 300 };
const HUGE = { count: 2_000_000, row: 30, view: 300 };

test("only the rows around the view are drawn", () => {
  assert.deepEqual(windowAt(SHORT, 0, 5), { first: 0, last: 15, top: 0, seen: { first: 0, last: 10 } });
  const middle = windowAt(SHORT, 3010, 5);
  assert.deepEqual(middle, { first: 95, last: 116, top: 2850, seen: { first: 100, last: 111 } });
  assert.equal(windowAt(SHORT, 29_700).last, 1000);
  assert.deepEqual(windowAt({ count: 0, row: 30, view: 300 }, 0), { first: 0, last: 0, top: 0, seen: { first: 0, last: 0 } });
});

test("more rows than a browser can lay out: both ends are reached, rows stay in the view", () => {
  assert.equal(contentHeight(HUGE), MAX_HEIGHT);
  assert.equal(windowAt(HUGE, 0).first, 0);
  const end = windowAt(HUGE, MAX_HEIGHT - HUGE.view);
  assert.equal(end.last, HUGE.count);
  assert.ok(Math.abs(end.top + (end.last - end.first) * HUGE.row - MAX_HEIGHT) < 1);
  const middle = windowAt(HUGE, 4_000_000, 0);
  assert.ok(Math.abs(middle.top - 4_000_000) <= HUGE.row);
});

test("a row in the view is left where it is, any other is brought in", () => {
  assert.equal(scrollTo(SHORT, 3000, 103), 3000);
  assert.equal(scrollTo(SHORT, 3000, 99), 2970);
  assert.equal(scrollTo(SHORT, 3000, 110), 3030);
  assert.equal(scrollTo(SHORT, 3000, 500, { share: 0.5 }), 500 * 30 - 135);
  assert.equal(scrollTo(SHORT, 3000, 101, { margin: 60 }), 2970);
  assert.equal(scrollTo(SHORT, 0, 999), 29_700);
  for (const index of [0, 777_777, 1_999_999]) {
    const { seen } = windowAt(HUGE, scrollTo(HUGE, 0, index, { share: 0.5 }));
    assert.ok(seen.first <= index && index < seen.last, `${index}`);
  }
});
