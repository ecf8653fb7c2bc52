/**
 * The worker that fetches and decodes a session's pictures. Its orders and reports: replay/picture_queue.js.
 */

import { Damaged, createPictureQueue } from "./replay/picture_queue.js";
import { sizeOf } from "./replay/picture_size.js";

const PREVIEW_PX = 160;
/** Larger pictures are decoded smaller: no screen shows more of them. */
const MAX_PIXELS = 4_000_000;
/** A picture that needs this much to decode is none that a phone took. */
const ABSURD_PIXELS = 120_000_000;
/** Sizes stand in the first bytes, behind what a camera or an editor may have put there. */
const HEAD_BYTES = 65_536;

const queue = createPictureQueue({
  load: (url, signal) => fetch(url, { signal, credentials: "same-origin" }),
  decode,
  tell: (report) => {
    postMessage(report, report.type === "picture" ? { transfer: [report.bitmap] } : {});
  },
});

addEventListener("message", (event) => queue.take(event.data));

/**
 * @param {Blob} picture
 * @param {boolean} preview
 */
async function decode(picture, preview) {
  const size = sizeOf(new Uint8Array(await picture.slice(0, HEAD_BYTES).arrayBuffer()));
  if (size && size.width * size.height > ABSURD_PIXELS) throw new Damaged("too large");
  return createImageBitmap(picture, preview ? { resizeWidth: PREVIEW_PX, resizeQuality: "medium" } : options(size));
}

/**
 * @param {import("./replay/picture_size.js").Size | null} size
 * @returns {ImageBitmapOptions}
 */
function options(size) {
  const shrink = size ? Math.sqrt(MAX_PIXELS / (size.width * size.height)) : 1;
  return shrink < 1 && size ? { resizeWidth: Math.round(size.width * shrink), resizeQuality: "medium" } : {};
}
