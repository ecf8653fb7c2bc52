import assert from "node:assert/strict";
import { test } from "node:test";

import { correctedTime, deviceTime, replayOf } from "../../player/replay/data.js";

const START = 1_767_225_600_000;
const OFFSET = 1_500;

/** @param {object} [more] */
function answer(more) {
  const device = START - OFFSET;
  return {
    replay: {
      started_ms: START, clock_offset_ms: OFFSET, duration_ms: 60_000, received_ms: START + 60_500, status: "ready",
    },
    version: 1,
    tracks: {
      taps: { t: [device + 1_000, device + 2_000], i: [3, 5], label: ["Buy", "Pay"], x: [1, 2], y: [3, 4] },
      performance: {
        t: [device + 10_000, device + 30_000], i: [7, 9], name: ["background", "background"], value: [1, 0],
      },
    },
    frames: {
      t: [device + 500, device + 500, device + 500, device + 1_500],
      bytes: [10, 11, 12, 10], format: [0, 0, 0, 1], formats: ["jpeg", "webp"], same: [0, 1, 2, 0],
    },
    issues: [{ type: "tap_rage", t: device + 1_000, title: "Buy", detail: { taps: 3 } }],
    completeness: { index_ranges: [[0, 9]], frame_gaps: [[device + 1_500, device + 59_000]], messages: 4, frames: 4 },
    ...more,
  };
}

test("every time is ms since the start by the corrected clock", () => {
  const replay = replayOf(answer());
  assert.deepEqual(replay.tracks.taps.t, [1_000, 2_000]);
  assert.equal(replay.issues[0].t, 1_000);
  assert.deepEqual(replay.completeness.frame_gaps, [[1_500, 59_000]]);
  assert.deepEqual(replay.background, [{ from: 10_000, to: 30_000 }]);
});

test("pictures of one millisecond get the names by which the server gives them out", () => {
  const { frames } = replayOf(answer());
  const own = START - OFFSET;
  assert.deepEqual(frames.name, [own + 500, own + 501, own + 502, own + 1_500]);
  assert.deepEqual(frames.t, [500, 501, 502, 1_500]);
  assert.deepEqual(frames.same, [0, 1, 2, 0]);
});

test("a moment is known by both clocks", () => {
  const replay = replayOf(answer());
  assert.equal(correctedTime(replay, 250), START + 250);
  assert.equal(deviceTime(replay, 250), START + 250 - OFFSET);
});

test("the end is where the last data lie, never after they arrived", () => {
  const late = answer();
  late.tracks.taps.t[1] = START + 65_000;
  assert.equal(replayOf(late).duration_ms, 60_500);
  const forged = answer();
  forged.tracks.taps.t[1] = 2 ** 50;
  assert.equal(replayOf(forged).duration_ms, 60_500);
});

test("a session without anything is empty, not broken", () => {
  const replay = replayOf({ replay: { started_ms: START, clock_offset_ms: 0, duration_ms: 0, status: "live" } });
  assert.equal(replay.live, true);
  assert.equal(replay.duration_ms, 0);
  assert.deepEqual([replay.frames.t, replay.background, replay.gaps, replay.inactive], [[], [], [], []]);
});

test("what a live session lacks at its end is on the way, what a session at rest lacks there is a gap", () => {
  const sent = (/** @type {string} */ status, /** @type {number} */ duration_ms) => ({
    replay: { started_ms: 0, clock_offset_ms: 0, duration_ms, received_ms: duration_ms, status },
    tracks: { logs: { t: Array.from({ length: duration_ms / 1_000 }, (_, k) => k * 1_000), i: [] } },
    frames: { t: [0, 1_000, 2_000, 3_000] },
  });
  const live = replayOf(sent("live", 20_000));
  assert.deepEqual([live.pending, live.gaps], [{ from: 3_000, to: 20_000 }, []]);
  const ready = replayOf(sent("ready", 20_000));
  assert.deepEqual([ready.pending, ready.gaps], [null, [{ from: 3_000, to: 20_000, kind: "pictures" }]]);
  assert.equal(replayOf(sent("live", 90_000)).gaps.length, 1, "too long to be on the way");
});
