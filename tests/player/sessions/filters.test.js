import assert from "node:assert/strict";
import { test } from "node:test";

import { chipsOf, valueText } from "../../../player/sessions/chips.js";
import { issueNamed } from "../../../player/draw/issue_kinds.js";
import { FIELDS, fieldsLike } from "../../../player/sessions/fields.js";
import {
  NO_FILTERS,
  apiParams,
  cleared,
  isFiltered,
  listAddress,
  parseFilters,
  searchOf,
  withDuration,
  withSpan,
  withValue,
} from "../../../player/sessions/filters.js";

const FULL =
  "project=shop&text=a+%26+b&issue=crash&user_id=alice&anonymous_id=g&view=Cart&event=buy&url=%2Fapi&platform=ios" +
  "&device=iPhone15%2C2&os=IOS&country=DE&app_version=4.1&tracker_version=1.0.14&user_uuid=U&metadata.plan=pro" +
  "&from_ms=1767225600000&to_ms=1767312000000&min_duration_ms=1000&max_duration_ms=60000&sort=longest";

test("every filter of the API comes back from the address as it went in", () => {
  const { filters, problems } = parseFilters(`?${FULL}`);
  assert.deepEqual(problems, []);
  assert.deepEqual(parseFilters(searchOf(filters)).filters, filters);
  const names = new URLSearchParams(FULL);
  assert.deepEqual(
    Object.entries(apiParams(filters, 0)).sort(),
    [...names].sort(),
    "and the API is asked for just that",
  );
});

test("no filters are no query", () => {
  assert.deepEqual(parseFilters("").filters, NO_FILTERS);
  assert.equal(searchOf(NO_FILTERS), "");
  assert.equal(listAddress(NO_FILTERS), "/");
  assert.equal(isFiltered(parseFilters("?project=a&sort=oldest").filters), false);
  assert.equal(isFiltered(parseFilters("?project=a&text=b").filters), true);
});

test("what is wrong in the address is left out and said", () => {
  for (const [search, said] of /** @type {const} */ ([
    ["foo=1", "foo is no filter"],
    ["limit=5", "limit is no filter"],
    ["metadata.=1", "metadata. is no filter"],
    ["sort=best", "sort cannot be “best”"],
    ["period=1y", "period cannot be “1y”"],
    ["from_ms=yesterday", "from_ms cannot be “yesterday”"],
    ["from_ms=1.5", "from_ms cannot be “1.5”"],
    ["to_ms=99999999999999999", "to_ms cannot be"],
    ["min_duration_ms=-1", "min_duration_ms cannot be “-1”"],
    ["issue=crash&issue=anr", "issue is given more than once"],
    [`text=${"x".repeat(1001)}`, "text is longer than 1000 characters"],
    ["from_ms=2&to_ms=1", "from_ms lies after to_ms"],
    ["min_duration_ms=2&max_duration_ms=1", "min_duration_ms is above max_duration_ms"],
  ])) {
    const { problems } = parseFilters(`?${search}`);
    assert.equal(problems.length, 1, search);
    assert.ok(problems[0]?.startsWith(said), `${search}: ${problems[0]}`);
  }
  assert.equal(parseFilters("?issue=crash&issue=anr").filters.values.issue, "crash");
  assert.deepEqual(parseFilters("?text=&issue=").problems, [], "empty ones say nothing");
});

test("names that objects have anyway are metadata like others", () => {
  const { filters, problems } = parseFilters("?metadata.__proto__=a&metadata.constructor=b");
  assert.deepEqual(problems, []);
  assert.deepEqual(Object.entries(filters.metadata), [
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  assert.equal(searchOf(filters), "metadata.__proto__=a&metadata.constructor=b");
  assert.equal(searchOf(withValue(filters, "metadata.__proto__", "")), "metadata.constructor=b");
});

test("a period reaches back from now, and goes before dates", () => {
  const { filters } = parseFilters("?period=24h&from_ms=5&to_ms=6");
  assert.deepEqual(apiParams(filters, 100_000_000), { from_ms: String(100_000_000 - 86_400_000) });
  assert.equal(searchOf(withSpan(filters, { from_ms: 5 })), "from_ms=5");
});

test("changing one filter leaves the others", () => {
  const { filters } = parseFilters("?project=p&issue=crash&metadata.plan=pro&sort=oldest");
  assert.equal(
    searchOf(withValue(filters, "device", "Pixel 8")),
    "project=p&issue=crash&device=Pixel+8&metadata.plan=pro&sort=oldest",
  );
  assert.equal(searchOf(withValue(filters, "issue", "")), "project=p&metadata.plan=pro&sort=oldest");
  assert.equal(
    searchOf(withValue(filters, "metadata.plan", "team")),
    "project=p&issue=crash&metadata.plan=team&sort=oldest",
  );
  assert.equal(
    searchOf(withDuration(filters, 0, null)),
    "project=p&issue=crash&metadata.plan=pro&min_duration_ms=0&sort=oldest",
  );
  assert.equal(searchOf(cleared(filters)), "project=p&sort=oldest");
});

test("chips say each filter in words, and how it is without it", () => {
  const { filters } = parseFilters(
    "?text=x&issue=tap_rage&country=DE&url=cart&metadata.plan=pro&period=7d&min_duration_ms=60000",
  );
  const said = chipsOf(filters).map(({ label, relation, value }) =>
    [label, relation, value].filter(Boolean).join(" "),
  );
  assert.deepEqual(said, [
    "Started last 7 days",
    "Duration at least 1 min",
    "Issue is Tap rage",
    "Network address contains cart",
    "Country is Germany",
    "plan is pro",
  ]);
  for (const { name, without } of chipsOf(filters)) {
    assert.equal(chipsOf(without).length, said.length - 1, name);
    assert.equal(without.text, "x");
  }
});

test("values that have names", () => {
  assert.equal(valueText("platform", "ios"), "iOS");
  assert.equal(valueText("country", "UN"), "Unknown");
  assert.equal(valueText("os", "IOS 17.4"), "iOS 17.4");
  assert.equal(valueText("device", "ios"), "ios");
  assert.equal(valueText("device", "oriole"), "Pixel 6 (oriole)");
  assert.equal(issueNamed("anr").label, "Not responding");
  assert.equal(issueNamed("low_memory").label, "Low memory", "kinds of the future");
  assert.equal(issueNamed("constructor").label, "Constructor");
});

test("the menu finds fields by their words", () => {
  assert.equal(fieldsLike(""), FIELDS);
  const found = (/** @type {string} */ typed) => fieldsLike(typed).map(({ name }) => name);
  assert.deepEqual(found("dur"), ["duration"]);
  assert.deepEqual(found("crash"), ["issue"]);
  assert.deepEqual(found("version"), ["os", "app_version", "tracker_version"]);
  assert.deepEqual(found("zzz"), []);
});
