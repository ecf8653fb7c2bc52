/**
 * Width and height of a picture from its first bytes, so that nothing is decoded that would fill the memory. Pure.
 */

/** @typedef {{width: number, height: number}} Size px */

/** A picture that needs this much to decode is none that a phone took. */
const ABSURD_PIXELS = 120_000_000;

/** @param {Size} size */
export function isAbsurd({ width, height }) {
  return width * height > ABSURD_PIXELS;
}

/**
 * @param {Uint8Array} bytes the picture, or its beginning
 * @returns {Size | null} null: not known from here
 */
export function sizeOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (view.getUint16(0) === 0xffd8) return jpeg(view);
    if (view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250) return webp(view);
  } catch (problem) {
    if (!(problem instanceof RangeError)) throw problem;
  }
  return null;
}

/** @param {DataView} view */
function jpeg(view) {
  let at = 2;
  for (;;) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++;
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    // start of frame, but not the tables DHT, JPG and DAC that lie in the same range
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += 2 + view.getUint16(at + 2);
  }
}

/** @param {DataView} view */
function webp(view) {
  switch (view.getUint32(12)) {
    case 0x56503858: // VP8X: 24 bits each, less one
      return { width: 1 + low24(view, 24), height: 1 + low24(view, 27) };
    case 0x5650384c: { // VP8L: 14 bits each, less one
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case 0x56503820: // VP8: 14 bits each, the rest is scale
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    default:
      return null;
  }
}

/** @param {DataView} view @param {number} at */
function low24(view, at) {
  return view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16);
}
