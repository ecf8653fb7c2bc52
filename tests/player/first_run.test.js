import assert from "node:assert/strict";
import { test } from "node:test";

import { firstSnippet, obstacles, snippets } from "../../player/first_run/snippets.js";

test("each snippet has this server's address and the project's key", () => {
  for (const { id, code } of snippets("https://replay.example", "shop-ios")) {
    assert.ok(code.includes("https://replay.example/ingest"), id);
    assert.ok(code.includes("shop-ios"), id);
  }
});

test("a key with quotes, templates and backslashes stays one literal", () => {
  const byId = new Map(snippets("https://replay.example", `a"b\\c$d'e`).map(({ id, code }) => [id, code]));
  assert.ok(byId.get("swift")?.includes(String.raw`"a\"b\\c$d'e"`));
  assert.ok(byId.get("kotlin")?.includes(String.raw`"a\"b\\c\$d'e"`));
  assert.ok(byId.get("simulator")?.includes(String.raw`'a"b\c$d'\''e'`));
});

test("the first snippet fits the project", () => {
  assert.equal(firstSnippet("android"), "kotlin");
  assert.equal(firstSnippet("ios"), "swift");
  assert.equal(firstSnippet("all"), "swift");
});

test("what keeps a phone away is said", () => {
  assert.equal(obstacles("http://127.0.0.1:8080").length, 2);
  assert.equal(obstacles("http://192.168.1.5:8080").length, 1);
  assert.deepEqual(obstacles("https://replay.example"), []);
});
