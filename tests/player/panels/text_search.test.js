import assert from "node:assert/strict";
import { test } from "node:test";

import { splitHits, TextSearch } from "../../../player/panels/text_search.js";

/** @param {string[]} texts */
const searchIn = (texts) => new TextSearch(texts.length, (row) => texts[row]);

test("finds rows by a part of their text, whatever the case", () => {
  const search = searchIn(["GET /Cart", "post /cart", "GET /orders", "cartcart"]);
  assert.deepEqual([...search.find("cArT")], [0, 1, 3]);
  assert.deepEqual([...search.find("")], [0, 1, 2, 3]);
  assert.deepEqual([...search.find("none")], []);
});

test("words do not reach over the end of a row", () => {
  assert.deepEqual([...searchIn(["ab", "cd"]).find("bc")], []);
  assert.deepEqual([...searchIn(["ab", "cd"]).find("b\u0000c")], []);
  assert.deepEqual([...searchIn(["a\u0000b", "cd"]).find("ab")], [0]);
});

test("finds the same rows as looking at each, over many chunks", () => {
  const texts = Array.from({ length: 3000 }, (_, at) => (at % 7 ? `row ${at}` : ""));
  const found = [...searchIn(texts).find("12")];
  const expected = texts.flatMap((text, at) => (text.includes("12") ? [at] : []));
  assert.deepEqual(found, expected);
});

test("a text is lower-cased once, and only when it is needed", () => {
  let asked = 0;
  const search = new TextSearch(2000, () => (asked++, "x"));
  assert.equal(asked, 0);
  search.find("x");
  search.find("y");
  assert.equal(asked, 2000);
});

test("hits are cut out of the text as it was written", () => {
  assert.deepEqual(splitHits("Pay now, pay", "PAY"), [
    { text: "Pay", hit: true },
    { text: " now, ", hit: false },
    { text: "pay", hit: true },
  ]);
  assert.deepEqual(splitHits("abc", ""), [{ text: "abc", hit: false }]);
  assert.deepEqual(splitHits("", "x"), [{ text: "", hit: false }]);
});

test("letters that change length in lower case are left unmarked, not cut wrongly", () => {
  assert.deepEqual(splitHits("\u0130stanbul", "stan"), [{ text: "\u0130stanbul", hit: false }]);
});
