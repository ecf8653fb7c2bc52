/**
 * The pictures of one session on the page's side: tells the worker what is needed, keeps what it decoded within a
 * bound, and knows the best picture there is for a moment.
 *
 * @import { Frames } from "./data.js"
 * @import { View } from "./picture_plan.js"
 * @import { Order, PictureAddress, Reason, Report } from "./picture_queue.js"
 * @import { Stretch } from "./stretches.js"
 */

import { nameOf, planOf } from "./picture_plan.js";
import { decodePicture } from "./picture_decode.js";
import { lastAt } from "./search.js";

/**
 * @typedef {object} Shown the best there is for a moment
 * @property {ImageBitmap | null} bitmap
 * @property {boolean} exact it is the picture of that moment, not an earlier one
 * @property {number} place index of the picture of that moment; -1: none was taken yet
 * @property {Reason | null} failed why the picture of that moment cannot be shown
 */

/** @typedef {Pick<Worker, "postMessage" | "terminate" | "onmessage">} PictureWorker */

const DECODED_BYTES = 96_000_000;
const MAX_DECODED = 48;
const MAX_PREVIEWS = 240;
/** An earlier picture stands in for a missing one if it is not further away than this many. */
const LOOK_BACK = 240;

/**
 * @param {PictureAddress} address
 * @param {(name: number) => void} changed a picture came, or failed
 * @param {PictureWorker} [worker]
 */
export function createPictures(address, changed, worker = startWorker()) {
  /** @type {Frames} */
  let frames = { t: [], name: [], bytes: [], format: [], formats: [], same: [] };
  /** @type {View | null} */
  let view = null;
  /** @type {number | null} */
  let hovered_ms = null;
  /** @type {Map<number, ImageBitmap>} least recently used first */
  const decoded = new Map();
  /** @type {Map<number, ImageBitmap>} */
  const previews = new Map();
  /** @type {Map<number, Reason>} */
  const failed = new Map();
  /** @type {Set<number>} */
  const held = new Set();
  let room = 24;
  let sent = "";
  let closed = false;

  worker.onmessage = (event) => {
    const data = /** @type {Report} */ (event.data);
    if (data.type === "held") {
      if (data.held) held.add(data.name);
      else held.delete(data.name);
    } else if (data.type === "failed") {
      failed.set(data.name, data.reason);
    } else {
      failed.delete(data.name);
      keep(data.preview ? previews : decoded, data.name, data.bitmap);
    }
    changed(data.name);
  };
  tell({ type: "open", address });

  /** @param {Order} order */
  function tell(order) {
    worker.postMessage(order);
  }

  /** @param {Map<number, ImageBitmap>} store @param {number} name @param {ImageBitmap} bitmap */
  function keep(store, name, bitmap) {
    store.get(name)?.close();
    store.set(name, bitmap);
    if (store === decoded) {
      room = Math.min(Math.max(Math.floor(DECODED_BYTES / (4 * bitmap.width * bitmap.height)), 8), MAX_DECODED);
    }
    /** @type {number[]} */
    const let_go = [];
    const most = store === decoded ? room : MAX_PREVIEWS;
    for (const [oldest, each] of store) {
      if (store.size <= most) break;
      each.close();
      store.delete(oldest);
      let_go.push(oldest);
    }
    if (let_go.length) {
      const none = /** @type {number[]} */ ([]);
      const [full, small] = store === decoded ? [let_go, none] : [none, let_go];
      tell({ type: "let_go", decoded: full, previews: small });
    }
  }

  function ask() {
    if (!view) return;
    const plan = planOf(frames, view, room - 4);
    const previewed = hovered_ms === null ? -1 : lastAt(frames.t, hovered_ms);
    const small = previewed < 0 ? [] : [nameOf(frames, previewed)];
    for (const name of plan.decode) touch(decoded, name);
    const decode = plan.decode.filter((name) => !decoded.has(name));
    const order = { decode, previews: small, fetch: plan.fetch };
    const text = JSON.stringify(order);
    if (text === sent) return;
    sent = text;
    tell({ type: "want", ...order });
  }

  /**
   * @param {Map<number, ImageBitmap>} store
   * @param {number} position_ms
   * @returns {Shown}
   */
  function best(store, position_ms) {
    const place = lastAt(frames.t, position_ms);
    if (place < 0) return { bitmap: null, exact: false, place, failed: null };
    const name = nameOf(frames, place);
    for (let k = place; k >= 0 && k > place - LOOK_BACK; k--) {
      const bitmap = store.get(nameOf(frames, k));
      if (bitmap) return { bitmap, exact: nameOf(frames, k) === name, place, failed: failed.get(name) ?? null };
    }
    return { bitmap: null, exact: false, place, failed: failed.get(name) ?? null };
  }

  /**
   * The very first picture, without waiting for the worker to start; if that fails, the worker will say why.
   * @param {number} position_ms
   */
  async function hurry(position_ms) {
    const place = lastAt(frames.t, position_ms);
    if (place < 0) return;
    const name = nameOf(frames, place);
    try {
      const answer = await fetch(address.before + name + address.after);
      const bitmap = answer.ok && !closed && !decoded.has(name) ? await decodePicture(await answer.blob()) : null;
      if (!bitmap) return;
      if (closed) return bitmap.close();
      keep(decoded, name, bitmap);
      changed(name);
    } catch {
      // the worker asks for it too
    }
  }

  return {
    hurry,
    /** One that came before anybody knew of it. @param {number} name @param {ImageBitmap} bitmap */
    take(name, bitmap) {
      const place = lastAt(frames.name, name);
      if (closed || place < 0 || frames.name[place] !== name) return bitmap.close();
      keep(decoded, nameOf(frames, place), bitmap);
    },
    /** @param {Frames} newer the session has grown */
    show(newer) {
      frames = newer;
      ask();
    },
    /** @param {View} next what the viewer does now */
    want(next) {
      view = next;
      ask();
    },
    /** @param {number | null} position_ms where the pointer hovers over the timeline */
    preview(position_ms) {
      hovered_ms = position_ms;
      ask();
    },
    /** @param {number} position_ms */
    at: (position_ms) => best(decoded, position_ms),
    /** @param {number} position_ms @returns {Shown} the small picture of that moment, or the large one if it is there */
    smallAt(position_ms) {
      const large = best(decoded, position_ms);
      return large.exact ? large : best(previews, position_ms);
    },
    /** @returns {Stretch[]} whose pictures need not be fetched any more */
    buffered() {
      return stretchesOf(frames, held);
    },
    /** How many pictures are decoded now, for tests of what is kept. */
    get decoded() {
      return { pictures: decoded.size, previews: previews.size };
    },
    close() {
      closed = true;
      worker.terminate();
      for (const bitmap of [...decoded.values(), ...previews.values()]) bitmap.close();
      decoded.clear();
      previews.clear();
    },
  };
}

/** @typedef {ReturnType<typeof createPictures>} Pictures */

/**
 * @param {Frames} frames
 * @param {Set<number>} held
 */
export function stretchesOf(frames, held) {
  /** @type {Stretch[]} */
  const found = [];
  for (let k = 0; k < frames.t.length; k++) {
    if (!held.has(nameOf(frames, k))) continue;
    const from = frames.t[k];
    const to = frames.t[k + 1] ?? from;
    const last = found.at(-1);
    if (last?.to === from) last.to = to;
    else found.push({ from, to });
  }
  return found;
}

/** @param {Map<number, ImageBitmap>} store @param {number} name */
function touch(store, name) {
  const bitmap = store.get(name);
  if (!bitmap) return;
  store.delete(name);
  store.set(name, bitmap);
}

/** @returns {PictureWorker} */
function startWorker() {
  return new Worker(new URL("../frame_worker.js", import.meta.url), { type: "module", name: "pictures" });
}
