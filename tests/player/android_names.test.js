import assert from "node:assert/strict";
import { test } from "node:test";

import { androidName } from "../../player/draw/android_names.js";

test("code names become the names under which devices are sold", () => {
  assert.equal(androidName("shiba"), "Pixel 8");
  assert.equal(androidName("dm3q"), "Galaxy S23 Ultra");
  assert.equal(androidName("o1s"), "Galaxy S21");
  assert.equal(androidName("a52sxq"), "Galaxy A52s 5G");
  assert.equal(androidName("emu64xa"), "Emulator");
});

test("what is not known stays as it is", () => {
  for (const code of ["", "OnePlus9", "constructor", "__proto__", "o1", "iPhone15,2", "<b>"]) {
    assert.equal(androidName(code), code);
  }
});
