import assert from "node:assert/strict";
import { test } from "node:test";

import { credentialOf } from "../../player/credential.js";
import { addressOf, listingOf, match } from "../../player/router.js";
import { signInAddress, targetOf } from "../../player/sign_in_target.js";

const ORIGIN = "https://replay.example";

test("addresses of pages", () => {
  assert.deepEqual(match("/"), { page: "sessions", params: {} });
  assert.deepEqual(match("/sign-in"), { page: "sign_in", params: {} });
  assert.deepEqual(match("/replays/3645366763814944769"), {
    page: "replay",
    params: { session_id: "3645366763814944769" },
  });
  for (const other of ["/docs", "/replays/", "/replays/abc", "/replays/1/frames", "//evil.example", "/api/v1/replays"]) {
    assert.equal(match(other), null, other);
  }
});

test("the page that asked for a sign-in is gone back to", () => {
  const address = signInAddress({ pathname: "/replays/12", search: "?t=5000" });
  assert.equal(targetOf(new URL(address, ORIGIN).search, ORIGIN), "/replays/12?t=5000");
  assert.equal(signInAddress({ pathname: "/", search: "" }), "/sign-in");
  assert.equal(signInAddress({ pathname: "/sign-in", search: "?next=%2F" }), "/sign-in", "no nesting");
});

test("signing in leads to our own pages only", () => {
  for (const next of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/sign-in", "/docs", "http://["]) {
    assert.equal(targetOf(`?next=${encodeURIComponent(next)}`, ORIGIN), "/", next);
  }
});

test("secrets of a link's fragment", () => {
  assert.deepEqual(credentialOf("#code=a-b_c"), { code: "a-b_c" });
  assert.deepEqual(credentialOf("#share=x.y"), { share: "x.y" });
  for (const none of ["", "#", "#main", "#code=", "#t=5"]) assert.equal(credentialOf(none), null, none);
});

test("a project's lists lead to one another", () => {
  assert.deepEqual(match("/issues"), { page: "issues", params: {} });
  assert.equal(listingOf(match("/issues")), "issues");
  assert.equal(listingOf(match("/")), "sessions");
  assert.equal(listingOf(match("/replays/12")), null);
  assert.equal(addressOf("issues", "a&b"), "/issues?project=a%26b");
  assert.equal(addressOf("sessions", null), "/");
  assert.equal(addressOf(null, "demo"), "/?project=demo");
});
