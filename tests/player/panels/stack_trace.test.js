import assert from "node:assert/strict";
import { test } from "node:test";

import { framesOf } from "../../../player/panels/stack_trace.js";

test("frames of iOS: binary, symbol, offset; the app's own told from the system's", () => {
  const frames = framesOf(
    [
      "0   CoreFoundation   0x00000001b2c4e3d0 __exceptionPreprocess + 164",
      "1   libobjc.A.dylib  0x00000001ab0f5d0c objc_exception_throw + 60",
      "3   Shop             0x0000000102a41f48 CartViewModel.total(of:) + 12",
      "4   My App           0x0000000102a3c0b4 -[Cart total:of:] + 96",
      "5   UIKitCore        0x00000001b50f1c38 -[UIViewController _setViewAppearState:isAnimating:] + 892",
    ].join("\n"),
  );
  assert.deepEqual(
    frames.map((frame) => frame.own),
    [false, false, true, true, false],
  );
  assert.deepEqual(frames[2], {
    text: "3   Shop             0x0000000102a41f48 CartViewModel.total(of:) + 12",
    module: "Shop",
    symbol: "CartViewModel.total(of:)",
    at: "+12",
    own: true,
  });
  assert.equal(frames[3].module, "My App");
});

test("frames of Android: package, class and method, file and line", () => {
  const frames = framesOf(
    [
      "com.northtrail.shop.cart.CartAdapter.onBindViewHolder(CartAdapter.kt:120)",
      "\tat androidx.recyclerview.widget.RecyclerView$Adapter.bindViewHolder(RecyclerView.java:7847)",
      "android.os.Looper.loop(Looper.java:317)",
      "kotlin.collections.CollectionsKt.<init>(Unknown Source)",
    ].join("\r\n"),
  );
  assert.deepEqual(
    frames.map((frame) => frame.own),
    [true, false, false, false],
  );
  assert.deepEqual(
    [frames[0].module, frames[0].symbol, frames[0].at],
    ["com.northtrail.shop.cart", "CartAdapter.onBindViewHolder", "CartAdapter.kt:120"],
  );
  assert.equal(frames[3].symbol, "CollectionsKt.<init>");
});

test("a line that is no frame stays a line", () => {
  assert.deepEqual(framesOf("Caused by: <script>\n\n  "), [
    { text: "Caused by: <script>", module: "", symbol: "Caused by: <script>", at: "", own: false },
  ]);
});

test("long lines without a frame take no long time", () => {
  const line = `0 ${"a ".repeat(20_000)}`;
  assert.equal(framesOf(line).length, 1);
});
