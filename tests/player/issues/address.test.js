import assert from "node:assert/strict";
import { test } from "node:test";

import { askedOf, issuesAddress, replayAddress } from "../../../player/issues/address.js";

test("what is asked for is kept in the address", () => {
  for (const search of ["", "?project=shop", "?project=shop&type=anr&sort=most_sessions"]) {
    assert.equal(issuesAddress(askedOf(search)), `/issues${search}`);
  }
});

test("kinds and orders that are not known are left out", () => {
  assert.deepEqual(askedOf("?type=constructor&sort=x"), { project: null, type: "", sort: "newest" });
});

test("a replay opens a little before it happened", () => {
  assert.equal(replayAddress({ session_id: "12", started_ms: 1_000, at_ms: 11_000 }), "/replays/12?t=7000");
  assert.equal(replayAddress({ session_id: "12", started_ms: 1_000, at_ms: 2_000 }), "/replays/12");
  assert.equal(replayAddress({ session_id: "12", started_ms: 5_000, at_ms: 1_000 }), "/replays/12", "a late message");
});
