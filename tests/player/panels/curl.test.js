import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { curlOf, quoted } from "../../../player/panels/curl.js";
import { sideOf } from "../../../player/panels/exchange.js";

const NOTHING = sideOf("");

/** Arguments that a shell gives to curl. @param {string} command */
function argumentsIn(command) {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}\n`;
  return execFileSync("bash", ["--norc", "-c", script], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
  })
    .split("\u0000")
    .slice(0, -1);
}

/** @param {object} [more] @returns {import("../../../player/panels/exchange.js").Exchange} */
function exchange(more) {
  return {
    method: "GET",
    url: "https://api.example/a",
    status: 200,
    duration_ms: 1,
    request: NOTHING,
    response: NOTHING,
    ...more,
  };
}

/** @param {object} [more] */
function command(more) {
  return curlOf(exchange(more)).command ?? "";
}

test("a body of JSON without a type of its own is not sent as a form", () => {
  const json = "Content-Type: application/json";
  assert.ok(argumentsIn(command({ request: { ...NOTHING, body: '{"a": 1}' } })).includes(json));
  for (const body of ["a=1", "12", ""]) {
    assert.ok(!argumentsIn(command({ request: { ...NOTHING, body } })).includes(json), body);
  }
  const typed = { ...NOTHING, body: "{}", headers: [["content-type", "text/plain"]] };
  assert.deepEqual(
    argumentsIn(command({ request: typed })).filter((each) => each.toLowerCase().startsWith("content-type")),
    ["content-type: text/plain"],
  );
});

test("method, address, headers and body arrive as they were", () => {
  const body = '{"name":"O\'Brien $(reboot) `id` \\\\ \\"q\\" !x"}';
  const request = {
    ...NOTHING,
    headers: [
      ["Accept", "*/*"],
      ["X-Empty", ""],
    ],
    body,
  };
  const given = argumentsIn(command({ method: "PUT", url: "https://api.example/a?b[]=1&c={d}'", request }));
  assert.deepEqual(given, [
    "--globoff",
    "--request",
    "PUT",
    "--url",
    "https://api.example/a?b[]=1&c={d}'",
    "--header",
    "Accept: */*",
    "--header",
    "X-Empty;",
    "--header",
    "Content-Type: application/json",
    "--data-raw",
    body,
  ]);
});

test("the method is named only where curl would take another", () => {
  const request = { ...NOTHING, body: "x" };
  assert.ok(!command().includes("--request"));
  assert.ok(!command({ method: "POST", request }).includes("--request"));
  assert.ok(command({ method: "GET", request }).includes("--request GET"));
  assert.ok(command({ method: "HEAD" }).includes("--head"));
});

test("a shell reads back every text, with nothing that a terminal would act on", () => {
  const texts = [
    "plain",
    "",
    "it's",
    "a\nb",
    "\u001b[201~rm -rf /\n",
    "\u0003\u0015id\r",
    "tab\there",
    "\\'\\n$'x'",
    "\u009b31m",
    "\u202egnp",
    "-o",
    "@/etc/passwd",
    "caf\u00e9 \u{1f600} 7\u00010",
    "%s %d",
    "!history",
    "~",
    "*",
    "#",
    "a\u2028b",
  ];
  let seed = 7;
  for (let round = 0; round < 60; round += 1) {
    const codes = Array.from(
      { length: 12 },
      () => ((seed = (seed * 48271) % 2147483647), seed % (round % 2 ? 160 : 0x3000) || 1),
    );
    texts.push(String.fromCharCode(...codes));
  }
  const given = argumentsIn(`curl ${texts.map(quoted).join(" ")}`);
  assert.deepEqual(given, texts);
  for (const text of texts) assert.doesNotMatch(quoted(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
});

test("what no argument can hold is left out or replaced", () => {
  assert.deepEqual(argumentsIn(`curl ${quoted("a\u0000b\ud800c")}`), ["ab\ufffdc"]);
});

test("headers cannot bring in others, read files, or contradict curl", () => {
  const headers = [
    ["X-A", "1\r\nX-Injected: 2"],
    ["@/etc/passwd", "x"],
    ["Bad Name", "x"],
    ["Content-Length", "9"],
    ["Host", "other"],
    ["Accept-Encoding", "gzip"],
  ];
  const given = argumentsIn(command({ request: { ...NOTHING, headers } }));
  assert.deepEqual(
    given.filter((_, at) => given[at - 1] === "--header"),
    ["X-A: 1 X-Injected: 2", "Accept-Encoding: gzip"],
  );
  assert.ok(given.includes("--compressed"));
});

test("addresses and methods that are none of HTTP make no command", () => {
  for (const url of ["file:///etc/passwd", "-o/tmp/x", "javascript:alert(1)", "", "gopher://x"]) {
    assert.ok(curlOf(exchange({ url })).problem);
  }
  assert.ok(curlOf(exchange({ method: "GET; reboot" })).problem);
});

test("an address that looks like an option is no option", () => {
  const text = "curl --url --data-raw";
  const given = argumentsIn(command({ url: `https://x/${text}`, request: { ...NOTHING, body: text } }));
  assert.deepEqual(given.slice(-3), [`https://x/${text}`, "--data-raw", text]);
});
