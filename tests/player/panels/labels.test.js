import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf } from "../../../player/panels/address.js";
import { touchLabel } from "../../../player/panels/touch_label.js";

test("labels of iOS: the words of the app, then the class", () => {
  assert.deepEqual(touchLabel("UIButton 'Pay'"), { title: "Pay", detail: "UIButton" });
  assert.deepEqual(touchLabel("UILabel 'it's 5 o'clock'"), { title: "it's 5 o'clock", detail: "UILabel" });
  assert.deepEqual(touchLabel("UIButton ''"), { title: "UIButton", detail: "" });
  assert.deepEqual(touchLabel("CustomView"), { title: "CustomView", detail: "" });
});

test("labels of Android: text, else description, else id", () => {
  assert.deepEqual(touchLabel("id:pay | text:Pay | desc:now | type:Button"), { title: "Pay", detail: "Button pay" });
  assert.deepEqual(touchLabel("id:menu | text: | desc:Menu | type:ImageView"), {
    title: "Menu",
    detail: "ImageView menu",
  });
  assert.deepEqual(touchLabel("id:x | text: | desc: | type:View"), { title: "x", detail: "View" });
  assert.deepEqual(touchLabel("id:x | text:a | b | desc: | type:View").title, "a | b");
  assert.deepEqual(touchLabel("Unknown View"), { title: "Unknown View", detail: "" });
});

test("addresses are cut as they were written", () => {
  assert.deepEqual(addressOf("https://api.example:8443/v3/cart?page=1#x"), {
    host: "api.example:8443",
    path: "/v3/cart",
    query: "?page=1#x",
  });
  assert.deepEqual(addressOf("http://api.example"), { host: "http://api.example", path: "/", query: "" });
  assert.deepEqual(addressOf("/v3/cart?x"), { host: "", path: "/v3/cart?x", query: "" });
  assert.deepEqual(addressOf("javascript:alert(1)"), { host: "", path: "javascript:alert(1)", query: "" });
});
