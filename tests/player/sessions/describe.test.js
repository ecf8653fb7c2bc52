import assert from "node:assert/strict";
import { test } from "node:test";

import { day } from "../../../player/draw/format.js";
import * as describe from "../../../player/sessions/describe.js";
import { issues, replay } from "./samples.js";

const NOBODY = { uuid: null, id: null, anonymous_id: null };

test("a user goes by the best name that is known", () => {
  assert.equal(describe.userName(replay()), "alice");
  assert.equal(describe.userName(replay({ user: { ...NOBODY, anonymous_id: "guest-7" } })), "guest-7");
  assert.equal(describe.userName(replay({ user: NOBODY })), "Anonymous");
});

test("below the name: metadata, else another name, else the installation", () => {
  assert.equal(
    describe.userDetail(replay({ metadata: { plan: "pro", appVersion: "4.1", cohort: "b" } })),
    "plan pro · cohort b",
  );
  assert.equal(
    describe.userDetail(replay({ user: { uuid: "3F2504E0-4F89", id: "a", anonymous_id: "guest-7" } })),
    "guest-7",
  );
  assert.equal(describe.userDetail(replay()), "3F2504E0");
  assert.equal(describe.userDetail(replay({ user: NOBODY })), "");
});

test("the app's version is what the app says, else what the SDK read", () => {
  const app = { tracker_version: "1.0.14", revision: "412" };
  assert.equal(describe.appVersion(replay({ app, metadata: { appVersion: "4.11.2" } })), "4.11.2");
  assert.equal(describe.appVersion(replay({ app, metadata: { app_version: "" } })), "412");
  assert.equal(describe.appVersion(replay()), "", "N/A is no version");
});

test("device, system, place", () => {
  assert.equal(describe.deviceName(replay()), "iPhone 14 Pro");
  assert.equal(describe.system(replay()), "iOS 17.4");
  assert.equal(
    describe.system(
      replay({ platform: "android", device: { ...replay().device, os: "Android", os_version: "14" } }),
    ),
    "Android 14",
  );
  assert.equal(
    describe.deviceName(replay({ device: { ...replay().device, name: "", model: "" } })),
    "Unknown device",
  );
  assert.equal(
    describe.fullPlace(replay({ geo: { country: "DE", state: "Berlin", city: "Berlin" } })),
    "Berlin, Germany",
  );
  assert.equal(describe.place(replay({ geo: { country: "UN", state: "", city: "" } })), "");
});

test("times of viewer and device, and how far the device's clock is off", () => {
  const now_ms = Date.UTC(2026, 0, 1, 13);
  const slow = describe.times(replay({ clock_offset_ms: 90_000, timezone: "UTC" }), now_ms);
  assert.match(slow.detail, /The device’s clock is 90 seconds slow; times are corrected\./);
  assert.match(slow.device, /11:58.* UTC$/);
  assert.match(describe.times(replay({ clock_offset_ms: -1_000 }), now_ms).detail, /1 second fast/);
  const unknown = describe.times(replay({ timezone: "somewhere" }), now_ms);
  assert.equal(unknown.device, "");
  assert.match(unknown.detail, /zone is not known/);
  assert.doesNotMatch(unknown.detail, /clock/);
});

test("the device's day is named where it is another one than the viewer's", () => {
  const at = Date.UTC(2026, 0, 1, 12);
  const east = describe.times(replay({ started_ms: at, timezone: "UTC+18:00" }), at).device;
  const same = describe.times(replay({ started_ms: at, timezone: "UTC+00:00" }), at).device;
  assert.equal(east.includes("2"), true);
  assert.equal(/Jan/.test(east), day(at) !== "2026-01-02");
  assert.equal(/Jan/.test(same), day(at) !== "2026-01-01");
});

test("what happened, without what did not", () => {
  assert.equal(describe.happenings(replay()), "9 events, 12 taps, 1 screen, 8 network calls, 61 pictures");
  const counts = { ...replay().counts };
  for (const name of /** @type {(keyof typeof counts)[]} */ (Object.keys(counts))) counts[name] = 0;
  assert.equal(describe.happenings(replay({ counts })), "Nothing yet");
});

test("kinds of issues once each, the worst first", () => {
  assert.deepEqual(
    describe.issueTypes(replay({ issues: issues("tap_rage", "crash", "anr", "crash", "slow_screen") })),
    ["crash", "anr", "slow_screen", "tap_rage"],
  );
});
