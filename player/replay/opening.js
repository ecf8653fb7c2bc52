/**
 * The picture that a session opens with: on the way before its timeline is, which says when pictures were taken.
 */

import { PREFIX } from "../api.js";
import { decodePicture } from "./picture_decode.js";
import { isAbsurd } from "./picture_size.js";

/** @typedef {{name: number, bitmap: ImageBitmap}} Opening name: its time by the device's clock */

const FRAME_HEADER = "playhead-frame";

/**
 * The same picture as the page came with it, if it is there by now (start.js).
 *
 * @param {HTMLElement} root
 * @param {string} session_id
 * @param {number | null} moment
 * @returns {HTMLImageElement | null}
 */
export function stillIn(root, session_id, moment) {
  const picture = root.querySelector(".still img");
  if (!(picture instanceof HTMLImageElement) || picture.getAttribute("src") !== addressOf(session_id, moment)) return null;
  const there = picture.complete && picture.naturalWidth > 0;
  return there && !isAbsurd({ width: picture.naturalWidth, height: picture.naturalHeight }) ? picture : null;
}

/**
 * With its name, which pictures are told apart by.
 *
 * @param {string} session_id
 * @param {number | null} moment the address's, ms of session time
 * @param {AbortSignal} signal
 * @returns {Promise<Opening | null>} null: there is none, or it cannot be had; the timeline will say
 */
export async function loadOpening(session_id, moment, signal) {
  try {
    const answer = await fetch(addressOf(session_id, moment), { signal, credentials: "same-origin" });
    if (answer.status !== 200) return null;
    return { name: Number(answer.headers.get(FRAME_HEADER)), bitmap: await decodePicture(await answer.blob()) };
  } catch {
    return null;
  }
}

/** @param {string} session_id @param {number | null} moment */
function addressOf(session_id, moment) {
  return `${PREFIX}/replays/${session_id}/opening${moment === null ? "" : `?t=${moment}`}`;
}
