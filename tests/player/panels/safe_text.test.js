import assert from "node:assert/strict";
import { test } from "node:test";

import { lineCount, oneLine, stripEscapes, visible } from "../../../player/panels/safe_text.js";

test("colours, cursor movements, titles and links are taken out, the words stay", () => {
  assert.equal(stripEscapes("\u001b[1;31mred\u001b[0m \u001b[2K\u001b[1Aup"), "red up");
  assert.equal(stripEscapes("\u001b]0;title\u0007text"), "text");
  assert.equal(stripEscapes("\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\"), "link");
  assert.equal(stripEscapes("\u009b31mred"), "red");
  assert.equal(stripEscapes("plain [31m"), "plain [31m");
});

test("a sequence that never ends hides nothing behind it", () => {
  assert.equal(stripEscapes("a\u001b]0;never closed, still read"), "a0;never closed, still read");
  assert.equal(stripEscapes("a\u001b"), "a");
});

test("hostile input costs no more than its length", () => {
  const text = "\u001b]".repeat(100_000);
  assert.equal(stripEscapes(text).length, 0);
});

test("control characters and overrides of direction are shown by their numbers", () => {
  assert.equal(visible("a\u0000b\u001bc\u007f"), "a\u27e8U+0000\u27e9b\u27e8U+001B\u27e9c\u27e8U+007F\u27e9");
  assert.equal(visible("user\u202egnp.exe"), "user\u27e8U+202E\u27e9gnp.exe");
  assert.equal(visible("a\tb\r\nc\nd"), "a\tb\nc\nd");
  assert.equal(visible("\u05e9\u05dc\u05d5\u05dd\u200f"), "\u05e9\u05dc\u05d5\u05dd\u200f");
});

test("one line: line ends become signs, a cut is told and cuts no character", () => {
  assert.equal(oneLine("a\nb\r\nc\u2028d"), "a \u23ce b \u23ce c \u23ce d");
  assert.equal(oneLine("abcdef", 4), "abc\u2026");
  assert.equal(oneLine("ab\u{1f600}", 3), "ab\u2026");
  assert.equal(oneLine("ab\u{1f600}", 4), "ab\u{1f600}");
});

test("lines are counted without the empty last one", () => {
  assert.equal(lineCount("a\n"), 1);
  assert.equal(lineCount("a\nb\r\nc"), 3);
  assert.equal(lineCount(""), 1);
});
