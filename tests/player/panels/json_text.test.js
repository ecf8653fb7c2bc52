import assert from "node:assert/strict";
import { test } from "node:test";

import { member, parseJson, prettyJson } from "../../../player/panels/json_text.js";

/** @param {string} text */
const pretty = (text) => {
  const value = parseJson(text);
  return value && prettyJson(value);
};

test("reads what JSON.parse reads and refuses what it refuses", () => {
  const good = [
    "{}",
    "[]",
    ' {"a":[1,true,null,"x\\u00e9\\n"],"b":{"c":-1.5e+3}} ',
    '"text"',
    "0",
    "-0",
    "1E5",
    "[[],{}]",
  ];
  for (const text of good) assert.deepEqual(JSON.parse(pretty(text) ?? "?"), JSON.parse(text), text);
  const bad = [
    "",
    " ",
    "{",
    "[1,]",
    '{"a":1,}',
    "01",
    "1.",
    ".5",
    "+1",
    "tru",
    "nulll",
    "{'a':1}",
    '{"a" 1}',
    '"\n"',
    '"\\x"',
    "1 2",
    "NaN",
    "[1",
    '{"a":}',
    "{1:2}",
  ];
  for (const text of bad) {
    assert.throws(() => JSON.parse(text), text);
    assert.equal(parseJson(text), undefined, text);
  }
});

test("numbers keep every digit, members their order and doubles", () => {
  const text = '{"id":12345678901234567890,"b":1.10,"a":1e400,"b":2}';
  assert.equal(pretty(text), '{\n  "id": 12345678901234567890,\n  "b": 1.10,\n  "a": 1e400,\n  "b": 2\n}');
  assert.deepEqual(member(parseJson(text), "b"), { kind: "literal", text: "2" });
});

test("a member named __proto__ is a member", () => {
  const value = parseJson('{"__proto__":{"x":1}}');
  assert.equal(prettyJson(/** @type {any} */ (value)), '{\n  "__proto__": {\n    "x": 1\n  }\n}');
});

test("levels without end are refused, not followed", () => {
  assert.equal(parseJson("[".repeat(100_000)), undefined);
  assert.equal(parseJson(`${"[".repeat(400)}${"]".repeat(400)}`), undefined);
  assert.notEqual(parseJson(`${"[".repeat(250)}${"]".repeat(250)}`), undefined);
});

test("empty lists and objects stay on their line", () => {
  assert.equal(pretty('{"a":[],"b":{}}'), '{\n  "a": [],\n  "b": {}\n}');
});
