import assert from "node:assert/strict";
import { test } from "node:test";

import { wordsAt } from "../../player/replay/stage_words.js";
import { swipesAt, tapsAt, typedAt } from "../../player/replay/touches.js";

const watching = { position_ms: 10_000, speed: 1, playing: true };
/** @param {Record<string, any>} tracks @param {object} [more] @returns {any} */
const replay = (tracks, more) => ({
  tracks, duration_ms: 60_000, live: false, background: [], gaps: [], frames: { t: [1_000] }, ...more,
});
const taps = { taps: { t: [9_000, 9_600, 9_900, 10_000, 10_001], x: [1, 2, 3, 4, 5], y: [1, 2, 3, 4, 5] } };

test("taps show for a moment after they happened, never before", () => {
  const shown = tapsAt(replay(taps), watching);
  assert.deepEqual(shown.map(({ x }) => x), [2, 3, 4]);
  assert.deepEqual(shown.map(({ age }) => age), [0.5, 0.125, 0]);
});

test("at higher speeds a tap is seen as long as at the usual one", () => {
  assert.deepEqual(tapsAt(replay(taps), { ...watching, speed: 4 }).map(({ x }) => x), [1, 2, 3, 4]);
});

test("paused, touches stand still", () => {
  assert.ok(tapsAt(replay(taps), { ...watching, playing: false }).every(({ still }) => still));
});

test("swipes point where the finger went", () => {
  const ways = ["up", "down", "left", "right", "undefined", "__proto__"];
  const swipes = { swipes: { t: ways.map(() => 10_000), x: ways.map(() => 5), y: ways.map(() => 5), direction: ways } };
  assert.deepEqual(swipesAt(replay(swipes), watching).map(({ dx, dy }) => [dx, dy]), [[0, -1], [0, 1], [-1, 0], [1, 0], [0, 0], [0, 0]]);
});

test("what was typed last is the caption", () => {
  const inputs = { t: [8_000, 9_500], label: ["Name", "PIN"], value: ["Ada", "***"], value_masked: [false, true] };
  assert.deepEqual(typedAt(replay({ inputs }), watching), { label: "PIN", text: "***", masked: true, t: 9_500 });
  assert.equal(typedAt(replay({ inputs }), { ...watching, position_ms: 30_000 }), null);
  assert.equal(typedAt(replay({}), watching), null);
});

/** @param {any} session @param {number} t @param {{place?: number, failed?: any}} [shown] */
const say = (session, t, { place = 0, failed = null } = {}) => wordsAt(session, t, { place, failed });

test("time in the background is told with its length", () => {
  const session = replay({}, { background: [{ from: 10_000, to: 22_000 }, { from: 50_000, to: 60_000 }] });
  assert.deepEqual(say(session, 12_000), {
    kind: "background", title: "App in background for 12 s", detail: "It came back at 0:22.",
  });
  assert.equal(say(session, 22_000), null);
  assert.match(say(session, 55_000)?.detail ?? "", /did not come back/);
  assert.equal(say({ ...session, live: true }, 55_000)?.title, "App in background", "nobody knows for how long");
});

test("gaps of everything and of pictures alone are told apart", () => {
  const session = replay({}, { gaps: [{ from: 2_000, to: 10_000, kind: "all" }, { from: 20_000, to: 27_000, kind: "pictures" }] });
  assert.equal(say(session, 3_000)?.title, "No data for 8 s");
  assert.equal(say(session, 21_000)?.title, "No picture for 7 s");
  assert.match(say({ ...session, duration_ms: 27_000 }, 21_000)?.detail ?? "", /none came after it/);
  assert.equal(say(replay({}, { pending: { from: 9_000, to: 60_000 } }), 9_500)?.title, "Waiting for pictures");
});

test("after a crash nothing runs, unless something does", () => {
  const crashes = { t: [5_000], name: ["NSRangeException"], reason: ["index 3 beyond bounds"] };
  assert.equal(say(replay({ crashes }), 4_999), null);
  assert.deepEqual(say(replay({ crashes }), 6_000), {
    kind: "crash", title: "The app crashed", detail: "NSRangeException: index 3 beyond bounds",
  });
  const again = replay({ crashes, taps: { t: [8_000] } });
  assert.equal(say(again, 7_000)?.kind, "crash");
  assert.equal(say(again, 8_000), null);
});

test("a missing picture says why", () => {
  assert.match(say(replay({}), 500, { place: -1 })?.detail ?? "", /first one is from 0:01/);
  assert.equal(say(replay({}, { frames: { t: [] } }), 500, { place: -1 })?.title, "No pictures were recorded");
  assert.equal(say(replay({}), 2_000, { failed: "damaged" })?.title, "This picture is damaged");
  assert.equal(say(replay({}), 2_000), null);
});
