import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LIVE_LAG_MS, STOPPED, follow, grown, issueFrom, knownSpeed, otherSpeed, pictureFrom, seek, tick, toggle,
} from "../../player/replay/clock.js";
import { createPlayback } from "../../player/replay/playback.js";

/** @param {object} [more] @returns {any} */
const session = (more) => ({
  duration_ms: 60_000, live: false, inactive: [], frames: { t: [] }, issues: [], ...more,
});
/** @param {import("../../player/replay/clock.js").Clock} clock @param {any} replay @param {number[]} nows */
const run = (clock, replay, nows) => nows.reduce((now, at) => tick(now, replay, at), clock);

test("time passes at the chosen speed, from the first frame of the screen on", () => {
  const clock = run({ ...STOPPED, playing: true, speed: 4 }, session(), [5_000, 5_016, 5_066]);
  assert.equal(clock.position_ms, 4 * 66);
});

test("a paused clock stands still and is the same object", () => {
  const clock = { ...STOPPED, position_ms: 7 };
  assert.equal(tick(clock, session(), 100), clock);
});

test("a hidden screen does not make playback leap", () => {
  const clock = run({ ...STOPPED, playing: true }, session(), [0, 100, 30_000, 30_016]);
  assert.equal(clock.position_ms, 116);
});

test("at the end it stops; played again it begins anew", () => {
  const replay = session();
  const ended = run({ ...STOPPED, position_ms: 59_990, playing: true }, replay, [0, 50]);
  assert.deepEqual([ended.position_ms, ended.playing], [60_000, false]);
  assert.equal(toggle(ended, replay).position_ms, 0);
});

test("inactive stretches are left out only when asked for", () => {
  const replay = session({ inactive: [{ from: 1_000, to: 30_000 }] });
  const on = { ...STOPPED, position_ms: 990, playing: true, skip: true };
  const skipped = run(on, replay, [0, 20]);
  assert.equal(skipped.position_ms, 30_000);
  assert.deepEqual(skipped.skipped, { from: 1_010, to: 30_000 });
  assert.equal(tick(skipped, replay, 40).skipped, null);
  assert.equal(run({ ...on, skip: false }, replay, [0, 20]).position_ms, 1_010);
});

test("the open end of a live session is not skipped", () => {
  const replay = session({ live: true, inactive: [{ from: 1_000, to: 60_000 }] });
  assert.equal(run({ ...STOPPED, position_ms: 2_000, playing: true, skip: true }, replay, [0, 20]).position_ms, 2_020);
});

test("who follows a live session waits at its end, stays close to it, and keeps playing when it is over", () => {
  const replay = session({ live: true });
  let clock = follow(STOPPED, replay);
  assert.equal(clock.position_ms, 60_000 - LIVE_LAG_MS);
  clock = run({ ...clock, position_ms: 59_999 }, replay, [0, 500]);
  assert.deepEqual([clock.position_ms, clock.playing, clock.follow], [60_000, true, true]);
  assert.equal(grown(clock, session({ live: true, duration_ms: 65_000 })).position_ms, 60_000);
  assert.equal(grown(clock, session({ live: true, duration_ms: 200_000 })).position_ms, 200_000 - LIVE_LAG_MS);
  assert.equal(grown(clock, session({ duration_ms: 61_000 })).follow, false);
});

test("following waits for pictures that come behind the messages, but not for ever", () => {
  const replay = session({ live: true, frames: { t: [0, 40_000] } });
  const clock = run({ ...follow(STOPPED, replay), position_ms: 39_990 }, replay, [0, 500]);
  assert.deepEqual([clock.position_ms, clock.playing], [40_000, true]);
  assert.equal(follow(STOPPED, replay).position_ms, 40_000 - LIVE_LAG_MS);
  const stuck = session({ live: true, frames: { t: [0, 10_000] } });
  assert.equal(follow(STOPPED, stuck).position_ms, 60_000 - LIVE_LAG_MS);
  const ahead = run({ ...STOPPED, position_ms: 50_000, playing: true, follow: true }, replay, [0, 500]);
  assert.equal(ahead.position_ms, 50_000, "it never goes back");
});

test("following begins behind the newest data, but never before the moment that is shown", () => {
  const replay = session({ live: true });
  assert.equal(follow({ ...STOPPED, position_ms: 10_000 }, replay).position_ms, 60_000 - LIVE_LAG_MS);
  assert.equal(follow({ ...STOPPED, position_ms: 58_000 }, replay).position_ms, 58_000);
});

test("who watches an earlier moment of a live session stays there", () => {
  const replay = session({ live: true });
  const clock = seek(follow(STOPPED, replay), replay, 4_000);
  assert.equal(grown(clock, session({ live: true, duration_ms: 900_000 })).position_ms, 4_000);
});

test("seeking stays within the session", () => {
  assert.equal(seek(STOPPED, session(), -5).position_ms, 0);
  assert.equal(seek(STOPPED, session(), 1e9).position_ms, 60_000);
});

test("speeds go up and down their list and stop at its ends", () => {
  assert.deepEqual([otherSpeed(1, 1), otherSpeed(1, -1), otherSpeed(16, 1), otherSpeed(0.5, -1)], [2, 0.5, 16, 0.5]);
  assert.deepEqual(["4", "0.5", "3", "", "x"].map(knownSpeed), [4, 0.5, 1, 1, 1]);
});

test("pictures and issues around a moment", () => {
  const replay = session({ frames: { t: [-20, 1_000, 2_000] }, issues: [{ t: 5_000 }, { t: 9_000 }] });
  assert.deepEqual([1_000, 1_500, 2_000].map((t) => pictureFrom(replay, t, 1)), [2_000, 2_000, 2_000]);
  assert.deepEqual([1_000, 1_500, 2_000].map((t) => pictureFrom(replay, t, -1)), [0, 1_000, 1_000]);
  assert.equal(issueFrom(replay, 5_000, 1)?.t, 9_000);
  assert.equal(issueFrom(replay, 9_000, 1), undefined);
  assert.equal(issueFrom(replay, 9_400, -1)?.t, 5_000, "an issue that has only begun is now, not before");
});

test("playback asks the screen for frames only while it plays", () => {
  /** @type {((now: number) => void)[]} */
  const asked = [];
  /** @type {number[]} */
  const positions = [];
  const screen = { frame: (/** @type {(now: number) => void} */ each) => asked.push(each), cancel() {} };
  const playback = createPlayback(session({ duration_ms: 100 }), (clock) => positions.push(clock.position_ms), 0, screen);
  assert.equal(asked.length, 0);
  playback.toggle();
  for (let now = 0; asked.length; now += 40) asked.shift()?.(now);
  assert.deepEqual(positions, [0, 0, 40, 80, 100]);
  assert.equal(playback.clock.playing, false);
});

test("stepping pauses at the pictures", () => {
  const screen = { frame: () => 1, cancel() {} };
  const playback = createPlayback(session({ frames: { t: [0, 700, 900] } }), () => {}, 0, screen);
  playback.toggle();
  playback.step(1);
  assert.deepEqual([playback.clock.position_ms, playback.clock.playing], [700, false]);
  playback.step(1);
  playback.step(-1);
  assert.equal(playback.clock.position_ms, 700);
});
