/**
 * The picture that a session opens with: on the way before its timeline is, which says when pictures were taken.
 */

import { PREFIX } from "../api.js";
import { decodePicture } from "./picture_decode.js";

/** @typedef {{name: number, bitmap: ImageBitmap}} Opening name: its time by the device's clock */

const FRAME_HEADER = "playhead-frame";

/**
 * The page of a session names this address ahead, and the browser takes what is on its way already; so nothing may be
 * asked differently here.
 *
 * @param {string} session_id
 * @param {number | null} moment the address's, ms of session time
 * @param {AbortSignal} signal
 * @returns {Promise<Opening | null>} null: there is none, or it cannot be had; the timeline will say
 */
export async function loadOpening(session_id, moment, signal) {
  const query = moment === null ? "" : `?t=${moment}`;
  try {
    const answer = await fetch(`${PREFIX}/replays/${session_id}/opening${query}`, { signal, credentials: "same-origin" });
    if (answer.status !== 200) return null;
    return { name: Number(answer.headers.get(FRAME_HEADER)), bitmap: await decodePicture(await answer.blob()) };
  } catch {
    return null;
  }
}
