import assert from "node:assert/strict";
import { test } from "node:test";

import { clockWords, statementsOf } from "../../../player/panels/completeness_words.js";

/**
 * @param {object} [completeness]
 * @param {object} [more]
 * @returns {any}
 */
function replay(completeness, more) {
  return {
    live: false,
    meta: { completeness: {} },
    offset_ms: 0,
    tracks: { taps: { t: [1, 2], i: [0, 1] }, collected: { t: [1], i: [0] } },
    gaps: [],
    completeness: {
      index_ranges: [[0, 40]],
      more_index_ranges: 0,
      frame_gaps: [],
      cut_messages: 0,
      messages: 2,
      frames: 10,
      late_parts: 0,
      unreadable_parts: 0,
      ...completeness,
    },
    ...more,
  };
}

/** @param {any} given */
const words = (given) => statementsOf(given).map(({ text }) => text);

test("nothing missing is said in so many words", () => {
  assert.deepEqual(statementsOf(replay()), [{ level: "fine", text: "Complete: nothing missing." }]);
});

test("missing numbers are told as ranges, and not as a loss", () => {
  const [said] = words(
    replay({
      index_ranges: [
        [5, 10],
        [12, 20],
        [31, 40],
        [44, 50],
        [60, 70],
      ],
    }),
  );
  assert.match(
    said,
    /^23 message numbers are missing \(11, 21–30, 41–43 and 1 more range\): lost on the way, or sent again/,
  );
  assert.match(
    words(
      replay({
        index_ranges: [
          [0, 3],
          [5, 9],
        ],
      }),
    )[0],
    /^1 message number is missing \(4\)/,
  );
});

test("of very many missing numbers the least that it can be is told", () => {
  const index_ranges = [
    [0, 3],
    [5, 9],
  ];
  const [said] = words(replay({ index_ranges, more_index_ranges: 12 }));
  assert.match(said, /^At least 1 message number is missing \(4 and 12 more ranges\)/);
});

test("gaps are told with their length and place, the longest of several", () => {
  const one = statementsOf(replay({}, { gaps: [{ from: 62_000, to: 85_000, kind: "pictures" }] }));
  assert.match(one[0].text, /^No picture was received for 23 s at 1:02/);
  assert.equal(one[0].at_ms, 62_000);
  const two = [
    { from: 0, to: 20_000, kind: "all" },
    { from: 60_000, to: 100_000, kind: "all" },
  ];
  assert.match(words(replay({}, { gaps: two }))[0], /^Nothing was received in 2 gaps, 1 min together.*40 s at 1:00/);
});

test("no pictures at all is one statement", () => {
  const gaps = [{ from: 0, to: 20_000, kind: "all" }];
  assert.deepEqual(words(replay({ frames: 0 }, { gaps })), ["No pictures were received."]);
});

test("pictures that were removed are not said never to have come", () => {
  const meta = { completeness: { frames_dropped_ms: 1_767_225_600_000 } };
  const [said] = words(replay({ frames: 0 }, { meta, gaps: [{ from: 0, to: 20_000, kind: "pictures" }] }));
  assert.match(said, /^The pictures were removed on .* to make room on the server; all else is kept/);
  assert.equal(words(replay({ frames: 0 }, { meta })).length, 1);
});

test("what could not be read, decoded or kept is counted", () => {
  const meta = { completeness: { quarantined: 2 } };
  const said = words(replay({ unreadable_parts: 1, cut_messages: 3, messages: 4 }, { meta }));
  assert.deepEqual(said, [
    "1 upload could not be read and stayed out.",
    "2 uploads in quarantine, wholly or in part: see the dead letters.",
    "3 messages left out, the session is over its size limit.",
    "2 messages kept that cannot be decoded.",
  ]);
});

test("late data and a corrected clock are no lack", () => {
  const said = statementsOf(replay({ late_parts: 2 }, { offset_ms: -7_500_000 }));
  assert.deepEqual(
    said.map(({ level }) => level),
    ["fine", "note", "note"],
  );
  assert.match(said[1].text, /^2 uploads came after the session had ended and were put in place/);
  assert.match(said[2].text, /2 h 5 min ahead of the server’s; the times shown are corrected/);
});

test("a live session is never called complete", () => {
  assert.deepEqual(statementsOf(replay({}, { live: true })), [
    { level: "note", text: "Still arriving: this session may grow." },
  ]);
});

test("the clock in words", () => {
  assert.equal(clockWords(0), "The device’s clock agrees with the server’s.");
  assert.equal(clockWords(120), "The device’s clock was 120 ms behind the server’s.");
});
