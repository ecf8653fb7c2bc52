import assert from "node:assert/strict";
import { test } from "node:test";

import { extentOf, indexesOf, scrollStep } from "../../../player/sessions/extent.js";
import { nextWait } from "../../../player/sessions/patience.js";
import { firstPage, nextPage, refreshed, unseen, withNew } from "../../../player/sessions/rows.js";
import { replay } from "./samples.js";

/** @param {readonly number[]} started  session n started at n */
const sessions = (...started) => started.map((n) => replay({ session_id: String(n), started_ms: n }));
/** @param {{all: readonly {session_id: string}[]}} rows */
const idsOf = (rows) => rows.all.map(({ session_id }) => session_id).join(" ");

test("pages follow one another; a session that moved while paging is there once", () => {
  const first = firstPage({ replays: sessions(9, 8), next_cursor: "c" });
  const all = nextPage(first, { replays: sessions(8, 7), next_cursor: null });
  assert.equal(idsOf(all), "9 8 7");
  assert.equal(all.cursor, null);
  assert.equal(idsOf(first), "9 8", "the rows of before stay as they were");
});

test("newer data come in place, and only a difference makes new rows", () => {
  const rows = firstPage({ replays: sessions(9, 8), next_cursor: null });
  assert.equal(refreshed(rows, sessions(9, 8, 7)), rows);
  const longer = replay({ session_id: "8", started_ms: 8, duration_ms: 77, status: "live" });
  const after = refreshed(rows, [longer]);
  assert.equal(idsOf(after), "9 8");
  assert.equal(after.all[1]?.duration_ms, 77);
});

test("what came since is told apart from what lies below the loaded part", () => {
  const part = firstPage({ replays: sessions(9, 8), next_cursor: "more" });
  assert.equal(idsOf({ all: unseen(part, sessions(12, 11, 9, 8, 7)) }), "12 11");
  const whole = firstPage({ replays: sessions(9, 8), next_cursor: null });
  assert.equal(
    idsOf({ all: unseen(whole, sessions(12, 9, 8, 7)) }),
    "12 7",
    "with all loaded, anything unknown is new",
  );
});

test("new sessions take their place by start", () => {
  const rows = firstPage({ replays: sessions(9, 7), next_cursor: "c" });
  const after = withNew(rows, sessions(12, 8, 9));
  assert.equal(idsOf(after), "12 9 8 7");
  assert.equal(after.cursor, "c");
  assert.ok(after.ids.has("8"));
});

test("sessions of one moment are ordered by id as numbers", () => {
  const at = (/** @type {string} */ session_id) => replay({ session_id, started_ms: 5 });
  const rows = firstPage({ replays: [at("9007199254740993"), at("99")], next_cursor: null });
  assert.equal(
    idsOf(withNew(rows, [at("9007199254740992"), at("100")])),
    "9007199254740993 9007199254740992 100 99",
  );
});

test("only rows near the window are drawn, whatever their number", () => {
  assert.deepEqual(extentOf(100, 800, 72, 100_000, 6), { first: 0, end: 16 });
  assert.deepEqual(extentOf(-72_000, 800, 72, 100_000, 6), { first: 994, end: 1018 });
  assert.deepEqual(extentOf(-7_200_000, 800, 72, 100_000, 6), { first: 99_994, end: 100_000 });
  assert.deepEqual(extentOf(100, 800, 72, 3, 6), { first: 0, end: 3 });
  assert.deepEqual(extentOf(-9_999_999, 800, 72, 10, 6), { first: 10, end: 10 }, "a list that became shorter");
  assert.deepEqual(extentOf(100, 800, 72, 0, 6), { first: 0, end: 0 });
});

test("the row with the focus stays, wherever the window is", () => {
  assert.deepEqual(indexesOf({ first: 5, end: 8 }, 2, 100), [5, 6, 7, 2]);
  assert.deepEqual(indexesOf({ first: 5, end: 8 }, 6, 100), [5, 6, 7]);
  assert.deepEqual(indexesOf({ first: 5, end: 8 }, -1, 100), [5, 6, 7]);
  assert.deepEqual(indexesOf({ first: 5, end: 8 }, 100, 100), [5, 6, 7], "it is gone");
});

test("scrolling goes just as far as a row needs to be seen", () => {
  assert.equal(scrollStep(50, 72, 100, 800), -50);
  assert.equal(scrollStep(300, 72, 100, 800), 0);
  assert.equal(scrollStep(760, 72, 100, 800), 32);
  assert.equal(scrollStep(120, 900, 100, 800), 20, "a row taller than the window: its upper edge");
});

test("asking becomes rarer while nothing comes of it", () => {
  const pace = { first_ms: 4000, last_ms: 10_000 };
  assert.equal(nextWait(4000, false, pace), 6000);
  assert.equal(nextWait(9000, false, pace), 10_000);
  assert.equal(nextWait(9000, true, pace), 4000);
});
