import assert from "node:assert/strict";
import { test } from "node:test";

import { exchangeOf, sideOf } from "../../../player/panels/exchange.js";

test("headers and body out of the text that both SDKs write", () => {
  const side = sideOf(
    '{"headers":{"Accept":"application/json","X-Id":7,"Set-Cookie":["a","b"]},"body":"{\\"ok\\":true}"}',
  );
  assert.deepEqual(side, {
    headers: [
      ["Accept", "application/json"],
      ["X-Id", "7"],
      ["Set-Cookie", "a"],
      ["Set-Cookie", "b"],
    ],
    body: '{"ok":true}',
    form: "json",
    wrapped: true,
  });
});

test("a body that is JSON itself, null or absent", () => {
  assert.equal(sideOf('{"headers":{},"body":{"a":[1,"x",null]}}').body, '{"a":[1,"x",null]}');
  assert.equal(sideOf('{"headers":null,"body":null}').form, "empty");
  assert.equal(sideOf('{"headers":{"A":"b"}}').body, "");
});

test("text that is no wrapper is shown as it came", () => {
  assert.deepEqual(sideOf('{"id":1}'), { headers: [], body: '{"id":1}', form: "json", wrapped: false });
  assert.deepEqual(sideOf('{"headers":{"A":"b"},"bo'), {
    headers: [],
    body: '{"headers":{"A":"b"},"bo',
    form: "cut json",
    wrapped: false,
  });
  assert.equal(sideOf("").wrapped, true);
});

test("bodies are told apart: text, JSON that was cut, bytes", () => {
  const form = (/** @type {string} */ body) => sideOf(JSON.stringify({ headers: {}, body })).form;
  assert.equal(form("a=1&b=2"), "text");
  assert.equal(form('{"items":[{"a":1},{"b'), "cut json");
  assert.equal(form("[not json]"), "text");
  assert.equal(form("\ufffdPNG\u0000\u0001\u0002"), "binary");
  assert.equal(form("***"), "text");
});

test("a message of today", () => {
  const made = exchangeOf({
    Type: "request",
    Method: "POST",
    URL: "https://api.example/cart",
    Status: 409,
    Duration: 120,
    Request: '{"headers":{},"body":"x"}',
    Response: '{"headers":{},"body":"y"}',
  });
  assert.deepEqual(
    [made.method, made.status, made.duration_ms, made.request.body, made.response.body],
    ["POST", 409, 120, "x", "y"],
  );
});

test("a message of 2023 tells the answer alone", () => {
  const made = exchangeOf({
    Duration: 5,
    Headers: '{"Server":"x"}',
    Body: "hello",
    URL: "https://api.example",
    Success: true,
    Method: "GET",
    Status: 200,
  });
  assert.deepEqual(made.response.headers, [["Server", "x"]]);
  assert.equal(made.response.body, "hello");
  assert.equal(made.request.form, "empty");
});
