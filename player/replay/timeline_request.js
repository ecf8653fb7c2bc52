/**
 * Reads a session's timeline from the server.
 */

import { ApiError, PREFIX } from "../api.js";

/** @typedef {{answer: any, etag: string | null}} Timeline */

/** What should be seen before is waited for as long. */
const PATIENCE_MS = 250;

/**
 * Where pictures are, by their time on the device's clock: the corrected time of a live session's may still move.
 * @param {string} session_id
 * @returns {import("./picture_queue.js").PictureAddress}
 */
export function picturesAddress(session_id) {
  return { before: `${PREFIX}/replays/${session_id}/frames/`, after: "?clock=device" };
}

/**
 * The page of a session names this address ahead, and the browser takes what is on its way already; so nothing may be
 * asked differently here.
 *
 * @param {string} session_id
 * @param {{etag?: string | null, signal?: AbortSignal, before?: Promise<unknown>, send?: typeof fetch}} [options]
 *   etag: of what is known already; before: what should not wait while a long answer is parsed
 * @returns {Promise<Timeline | null>} null: nothing is new. Throws ApiError, also when the server cannot be reached.
 */
export async function loadTimeline(session_id, { etag, signal, before, send = fetch } = {}) {
  /** @type {Record<string, string>} */
  const headers = etag ? { "if-none-match": etag } : {};
  try {
    const reply = await send(`${PREFIX}/replays/${session_id}/timeline`, { headers, signal, credentials: "same-origin" });
    if (reply.status === 304) return null;
    if (!reply.ok) throw await refusal(reply);
    if (before) await Promise.race([before, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    return { answer: await reply.json(), etag: reply.headers.get("etag") };
  } catch (problem) {
    if (problem instanceof ApiError || signal?.aborted) throw problem;
    throw new ApiError(0, "unreachable", "The server cannot be reached.");
  }
}

/** @param {Response} reply */
async function refusal(reply) {
  try {
    const { error } = await reply.json();
    return new ApiError(reply.status, String(error.code), String(error.message));
  } catch {
    return new ApiError(reply.status, "unexpected", `The server answered ${reply.status}.`);
  }
}
