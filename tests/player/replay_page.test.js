import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { ApiError } from "../../player/api.js";
import { KEYS, pressed, shortcuts } from "../../player/replay/keys.js";
import { sizeOf } from "../../player/replay/picture_size.js";
import { panelBeside, panelNamed } from "../../player/replay/panel_choice.js";
import { momentOf, withMoment } from "../../player/replay/place_in_address.js";
import { loadTimeline } from "../../player/replay/timeline_request.js";

test("the moment of an address", () => {
  assert.equal(momentOf("?t=12500"), 12_500);
  for (const none of ["", "?t=", "?t=-1", "?t=1e3", "?t=1.5", "?t=9999999999999"]) assert.equal(momentOf(none), null);
  assert.equal(withMoment("http://a/replays/1?x=y&t=3", 99.6), "http://a/replays/1?x=y&t=100");
  assert.equal(withMoment("http://a/replays/1?t=3", 0), "http://a/replays/1");
});

test("panels go round", () => {
  const panels = /** @type {any[]} */ (["a", "b", "c"].map((id) => ({ id })));
  assert.equal(panelNamed(panels, "b").id, "b");
  assert.equal(panelNamed(panels, "gone").id, "a");
  assert.equal(panelBeside(panels, "c", 1), "a");
  assert.equal(panelBeside(panels, "a", -1), "c");
  assert.equal(panelBeside([], "a", 1), "a");
});

/** @param {number} status @param {any} [body] @param {Record<string, string>} [headers] */
const answering = (status, body, headers) => {
  /** @type {any[]} */
  const asked = [];
  const send = async (/** @type {any} */ url, /** @type {any} */ init) => {
    asked.push([url, init.headers]);
    return new Response(status === 304 ? null : JSON.stringify(body), { status, headers });
  };
  return { asked, send: /** @type {typeof fetch} */ (send) };
};

test("a timeline comes with its tag, and with the tag known only what is new", async () => {
  const fresh = answering(200, { version: 1 }, { etag: '"a"' });
  assert.deepEqual(await loadTimeline("7", { send: fresh.send }), { answer: { version: 1 }, etag: '"a"' });
  const same = answering(304);
  assert.equal(await loadTimeline("7", { etag: '"a"', send: same.send }), null);
  assert.equal(same.asked[0][1]["if-none-match"], '"a"');
});

test("a refusal and a server that is away are ApiErrors", async () => {
  const refused = answering(404, { error: { code: "not_found", message: "no such replay" } });
  await assert.rejects(loadTimeline("7", { send: refused.send }), new ApiError(404, "not_found", "no such replay"));
  const away = /** @type {any} */ (async () => { throw new TypeError("network"); });
  await assert.rejects(loadTimeline("7", { send: away }), (problem) => problem instanceof ApiError && problem.status === 0);
});

class FakeElement {
  /** @param {string} matched selectors that it answers to */
  constructor(matched = "") {
    this.matched = matched;
    this.isContentEditable = false;
  }

  /** @param {string} selectors */
  closest(selectors) {
    return this.matched && selectors.includes(this.matched) ? this : null;
  }
}
const FAKES = ["Element", "HTMLElement", "HTMLInputElement", "HTMLTextAreaElement", "HTMLSelectElement"];

beforeEach(() => {
  for (const name of FAKES) Object.assign(globalThis, { [name]: name.length > 11 ? class {} : FakeElement });
  Object.assign(globalThis, { document: { querySelector: () => null } });
});
afterEach(() => {
  for (const name of [...FAKES, "document"]) Reflect.deleteProperty(globalThis, name);
});

/** @param {string} key @param {object} [more] @param {FakeElement} [target] */
function press(key, more, target = new FakeElement()) {
  /** @type {any[]} */
  const done = [];
  const deeds = new Proxy({}, { get: (_, name) => (/** @type {any[]} */ ...args) => done.push([name, ...args]) });
  let prevented = false;
  const event = { key, composedPath: () => [target], preventDefault: () => (prevented = true), ...more };
  pressed(/** @type {any} */ (event), /** @type {any} */ (deeds));
  return { done, prevented };
}

test("keys do what the help says", () => {
  assert.deepEqual(press(" ").done, [["toggle"]]);
  assert.deepEqual(press("ArrowLeft").done, [["move", -5_000]]);
  assert.deepEqual(press("ArrowRight", { shiftKey: true }).done, [["move", 30_000]]);
  assert.deepEqual(press("I", { shiftKey: true }).done, [["issue", -1]]);
  assert.deepEqual(press("7").done, [["jump", 0.7]]);
  assert.equal(press("x").prevented, false);
  assert.ok(KEYS.every(({ meaning }) => shortcuts().some(([, listed]) => listed === meaning)));
});

test("keys are left to the browser, to dialogs, and to controls that want them", () => {
  assert.deepEqual(press(" ", { ctrlKey: true }).done, []);
  assert.deepEqual(press(" ", { defaultPrevented: true }).done, []);
  assert.deepEqual(press(" ", {}, new FakeElement("button")).done, []);
  assert.deepEqual(press("ArrowLeft", {}, new FakeElement("[role=slider]")).done, []);
  assert.deepEqual(press("ArrowLeft", {}, new FakeElement("button")).done, [["move", -5_000]]);
  Object.assign(globalThis, { document: { querySelector: () => ({}) } });
  assert.deepEqual(press(" ").done, []);
});

/** @param {number[]} bytes */
const size = (...bytes) => sizeOf(Uint8Array.from(bytes));
/** @param {string} text */
const ascii = (text) => [...text].map((each) => each.charCodeAt(0));

test("sizes of pictures stand in their first bytes", () => {
  assert.deepEqual(size(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0, 0, 0, 0, 13, ...ascii("IHDR"), 0, 0, 2, 0, 0, 0, 4, 0), {
    width: 512, height: 1_024,
  });
  const app = [0xff, 0xe0, 0, 4, 1, 2];
  assert.deepEqual(size(0xff, 0xd8, ...app, 0xff, 0xc4, 0, 2, 0xff, 0xc2, 0, 11, 8, 4, 0x29, 1, 0xeb), { width: 491, height: 1_065 });
  const riff = [...ascii("RIFF"), 0, 0, 0, 0, ...ascii("WEBP")];
  assert.deepEqual(size(...riff, ...ascii("VP8X"), 10, 0, 0, 0, 0, 0, 0, 0, 0xdf, 1, 0, 0x2a, 4, 0), { width: 480, height: 1_067 });
  const bits = (480 - 1) | ((1_067 - 1) << 14);
  assert.deepEqual(
    size(...riff, ...ascii("VP8L"), 0, 0, 0, 0, 0x2f, bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, (bits >> 24) & 255),
    { width: 480, height: 1_067 },
  );
  const lossy = [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0xe0, 0x41, 0x2b, 0x44];
  assert.deepEqual(size(...riff, ...ascii("VP8 "), ...lossy), { width: 480, height: 1_067 });
});

test("what is no picture, or cut off, has no size", () => {
  for (const bytes of [[], [0xff, 0xd8], [0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff], [0xff, 0xd8, 0, 0], ascii("RIFF1234WEBPVP8Lxx"), ascii("hello, world")]) {
    assert.equal(size(...bytes), null);
  }
});
