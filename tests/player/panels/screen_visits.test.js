import assert from "node:assert/strict";
import { test } from "node:test";

import { timeByScreen, visitsOf } from "../../../player/panels/screen_visits.js";

/** @param {[t: number, screen: string, visible: boolean][]} turns */
function views(turns) {
  return {
    t: turns.map(([t]) => t),
    i: turns.map((_, at) => at),
    screen: turns.map(([, screen]) => screen),
    view_name: turns.map(([, screen]) => `${screen}View`),
    visible: turns.map(([, , visible]) => visible),
  };
}

/** @param {import("../../../player/panels/screen_visits.js").Visit[]} visits */
const short = (visits) => visits.map(({ screen, from, to, ended }) => [screen, from, to, ended]);

test("a screen is seen from its coming to its going", () => {
  const tracks = {
    views: views([
      [0, "Home", true],
      [500, "Home", false],
      [510, "Cart", true],
    ]),
  };
  assert.deepEqual(short(visitsOf(tracks, [], 2000)), [
    ["Home", 0, 500, "left"],
    ["Cart", 510, 2000, "end"],
  ]);
});

test("screens that only come last until the next one", () => {
  const events = {
    t: [0, 100, 400],
    i: [0, 1, 2],
    name: ["viewAppeared", "bought", "viewAppeared"],
    payload: ["Home:HomeActivity", "{}", "Cart:CartActivity"],
  };
  const visits = visitsOf({ events }, [], 1000);
  assert.deepEqual(short(visits), [
    ["Home", 0, 400, "next"],
    ["Cart", 400, 1000, "end"],
  ]);
  assert.equal(visits[0].view, "HomeActivity");
});

test("what is open when the app leaves the foreground ends there", () => {
  const tracks = {
    views: views([
      [0, "Home", true],
      [900, "Home", false],
    ]),
  };
  assert.deepEqual(short(visitsOf(tracks, [{ from: 300, to: 800 }], 1000)), [["Home", 0, 300, "background"]]);
});

test("two views at once each have their own time", () => {
  const tracks = {
    views: views([
      [0, "Home", true],
      [100, "Sheet", true],
      [300, "Sheet", false],
      [700, "Home", false],
    ]),
  };
  assert.deepEqual(short(visitsOf(tracks, [], 1000)), [
    ["Home", 0, 700, "left"],
    ["Sheet", 100, 300, "left"],
  ]);
});

test("going without coming is no visit", () => {
  assert.deepEqual(visitsOf({ views: views([[10, "Home", false]]) }, [], 1000), []);
  assert.deepEqual(visitsOf({}, [], 1000), []);
});

test("time per screen, the longest first", () => {
  const tracks = {
    views: views([
      [0, "A", true],
      [100, "A", false],
      [100, "B", true],
      [800, "B", false],
      [800, "A", true],
    ]),
  };
  assert.deepEqual(timeByScreen(visitsOf(tracks, [], 1000)), [
    { screen: "B", visits: 1, total_ms: 700, first: 100 },
    { screen: "A", visits: 2, total_ms: 300, first: 0 },
  ]);
});
