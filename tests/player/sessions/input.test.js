import assert from "node:assert/strict";
import { test } from "node:test";

import { fieldNamed } from "../../../player/sessions/fields.js";
import { NO_FILTERS, parseFilters } from "../../../player/sessions/filters.js";
import { lengthText, parseLength } from "../../../player/sessions/lengths.js";
import { localText, parseLocal } from "../../../player/sessions/local_time.js";
import { applied, rangeOf } from "../../../player/sessions/range.js";
import { choices, createSuggest, matching } from "../../../player/sessions/suggest.js";

test("lengths as people type them", () => {
  for (const [text, ms] of /** @type {const} */ ([
    ["90", 90_000],
    ["1.5", 1_500],
    ["0,5 s", 500],
    ["90s", 90_000],
    ["1m30s", 90_000],
    ["2 min", 120_000],
    ["1h 2m 3s", 3_723_000],
    ["250ms", 250],
    ["1:30", 90_000],
    ["1:02:03", 3_723_000],
    ["0", 0],
  ])) {
    assert.equal(parseLength(text), ms, text);
    assert.equal(parseLength(lengthText(ms)), ms, `${text} and back`);
  }
  for (const wrong of ["", "soon", "-5", "5 5", "1:75", "1x", "s", "1e9", "9".repeat(30)])
    assert.equal(parseLength(wrong), null, wrong);
});

test("dates of the form fields go there and back to the minute", () => {
  const at = new Date(2026, 2, 4, 5, 6).getTime();
  assert.equal(localText(at), "2026-03-04T05:06");
  assert.equal(parseLocal(localText(at)), at);
  assert.equal(localText(8.64e15), "", "no such field value");
  for (const wrong of ["", "2026-13-40T00:00", "2026-03-04", "now"]) assert.equal(parseLocal(wrong), null, wrong);
});

test("ranges become filters, or a sentence about what is wrong", () => {
  const duration = fieldNamed("duration");
  const period = fieldNamed("period");
  const { filters } = parseFilters("?period=24h");
  const set = applied(duration, filters, { from: "1m", to: " " });
  assert.ok(typeof set !== "string");
  assert.deepEqual([set.min_duration_ms, set.max_duration_ms, set.period], [60_000, null, "24h"]);
  assert.deepEqual(rangeOf(duration, set), { from: "1m", to: "" });
  const dated = applied(period, filters, { from: "2026-03-04T05:06", to: "" });
  assert.ok(typeof dated !== "string");
  assert.deepEqual([dated.period, dated.from_ms], [null, new Date(2026, 2, 4, 5, 6).getTime()]);
  assert.equal(applied(duration, NO_FILTERS, { from: "soon", to: "" }), "Lengths are like 90s, 1m 30s or 2:30.");
  assert.equal(
    applied(duration, NO_FILTERS, { from: "5m", to: "1m" }),
    "The longest is shorter than the shortest.",
  );
  assert.equal(applied(period, NO_FILTERS, { from: "x", to: "" }), "That is no date and time.");
});

test("what is typed can be taken: first for a part, last for a whole", () => {
  const found = [{ value: "Pixel 8", count: 3 }];
  const own = (/** @type {string} */ value) => ({ value, own: true });
  assert.deepEqual(choices(fieldNamed("device"), found, ""), found);
  assert.deepEqual(choices(fieldNamed("device"), found, " Pix "), [...found, own("Pix")]);
  assert.deepEqual(choices(fieldNamed("device"), found, "Pixel 8"), found);
  assert.deepEqual(choices(fieldNamed("url"), found, "pix"), [own("pix"), ...found]);
  assert.deepEqual(choices(fieldNamed("device"), found, "iPh"), [own("iPh")], "an answer to what was typed before");
});

test("values with names are found by both", () => {
  const values = [
    { value: "DE", count: 2 },
    { value: "FR", count: 1 },
  ];
  assert.deepEqual(matching(values, "country", "germ"), [values[0]]);
  assert.deepEqual(matching(values, "country", "fr"), [values[1]]);
  const systems = ["IOS", "iOS", "IOS 17.4"].map((value) => ({ value, count: 1 }));
  assert.deepEqual(matching(systems, "os", "ios"), systems.slice(1), "one of two spellings");
  assert.deepEqual(matching(values, "device", "germ"), [], "other fields are found by value alone");
});

test("of several questions only the last one is answered", async () => {
  /** @type {((answer: {values: {value: string, count: number}[]}) => void)[]} */
  const waiting = [];
  /** @type {string[]} */
  const asked = [];
  const never = () => Promise.reject(new Error("not asked for here"));
  const suggest = createSuggest({
    get: (_path, options) => {
      asked.push(String(options?.params?.prefix));
      return new Promise((resolve) => waiting.push(resolve));
    },
    post: never,
    del: never,
  });
  const first = suggest.values("shop", "user_id", "P");
  const second = suggest.values("shop", "user_id", "Pi");
  waiting[1]?.({ values: [{ value: "Pixel", count: 1 }] });
  waiting[0]?.({ values: [{ value: "late", count: 1 }] });
  assert.equal(await first, null);
  assert.deepEqual(await second, [{ value: "Pixel", count: 1 }]);
  assert.deepEqual(asked, ["P", "Pi"]);
});

test("devices are found by the names under which they are sold", async () => {
  const oriole = { value: "oriole", count: 2 };
  const galaxy = { value: "dm1q", count: 1 };
  const never = () => Promise.reject(new Error("not asked for here"));
  const suggest = createSuggest({
    get: async (_path, options) => ({ values: options?.params?.prefix ? [] : [oriole, galaxy] }),
    post: never,
    del: never,
  });
  const found = await suggest.values("shop", "device", "pixel");
  assert.deepEqual(found, [oriole, galaxy]);
  assert.deepEqual(matching([oriole, galaxy], "device", "pixel"), [oriole]);
  assert.deepEqual(matching([oriole, galaxy], "device", "dm1"), [galaxy]);
});
