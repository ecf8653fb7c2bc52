/**
 * From a compressed picture to a bitmap, without filling the memory.
 *
 * @import { Size } from "./picture_size.js"
 */

import { isAbsurd, sizeOf } from "./picture_size.js";

const PREVIEW_PX = 160;
/** Larger pictures are decoded smaller: no screen shows more of them. */
const MAX_PIXELS = 4_000_000;
/** Sizes stand in the first bytes, behind what a camera or an editor may have put there. */
const HEAD_BYTES = 65_536;

/**
 * @param {Blob} picture
 * @param {boolean} [preview] small is enough
 * @returns {Promise<ImageBitmap>} rejected when it cannot, or should not, be decoded
 */
export async function decodePicture(picture, preview = false) {
  const size = sizeOf(new Uint8Array(await picture.slice(0, HEAD_BYTES).arrayBuffer()));
  if (size && isAbsurd(size)) throw new RangeError("too large a picture");
  return createImageBitmap(picture, preview ? { resizeWidth: PREVIEW_PX, resizeQuality: "medium" } : options(size));
}

/**
 * @param {Size | null} size
 * @returns {ImageBitmapOptions}
 */
function options(size) {
  const shrink = size ? Math.sqrt(MAX_PIXELS / (size.width * size.height)) : 1;
  return shrink < 1 && size ? { resizeWidth: Math.round(size.width * shrink), resizeQuality: "medium" } : {};
}
