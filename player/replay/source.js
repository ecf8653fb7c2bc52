/**
 * Where a session comes from: read once, and again and again while it is live.
 *
 * @import { Api } from "../api.js"
 * @import { Replay } from "./data.js"
 * @import { Outcome } from "./live.js"
 */

import { ApiError, isAbort } from "../api.js";
import { replayOf } from "./data.js";
import { keepUpToDate } from "./live.js";
import { loadTimeline } from "./timeline_request.js";

/**
 * @param {string} session_id
 * @param {Api} api
 * @param {object} told
 * @param {(replay: Replay) => void} told.arrived the session, or a newer state of it
 * @param {(problem: ApiError) => void} told.failed there is none, or no longer
 * @param {(away: boolean) => void} told.away whether news of a live session cannot be had
 */
export function createSource(session_id, api, { arrived, failed, away }) {
  const abort = new AbortController();
  /** @type {string | null} */
  let etag = null;
  /** @type {(() => void) | null} */
  let stopAsking = null;

  /** @param {Promise<unknown>} [before] what should be seen first */
  async function load(before) {
    try {
      const replay = await read(signedInMeanwhile, before);
      if (replay?.live) stopAsking ??= keepUpToDate(ask, away);
    } catch (problem) {
      if (isAbort(problem)) return;
      if (!(problem instanceof ApiError)) throw problem;
      failed(problem);
    }
  }

  /**
   * @param {(problem: unknown) => ReturnType<typeof loadTimeline>} [otherwise]
   * @param {Promise<unknown>} [before]
   * @returns {Promise<Replay | null>} null: nothing is new
   */
  async function read(otherwise = Promise.reject.bind(Promise), before) {
    const found = await loadTimeline(session_id, { etag, before, signal: abort.signal }).catch(otherwise);
    if (!found) return null;
    etag = found.etag;
    const replay = replayOf(found.answer);
    arrived(replay);
    return replay;
  }

  /**
   * What the page asked for ahead may have been asked before a link signed the viewer in: as nobody, who goes to the
   * sign-in, or as who came by another link and does not see this session.
   * @param {unknown} problem
   */
  async function signedInMeanwhile(problem) {
    if (!(problem instanceof ApiError) || (problem.status !== 401 && problem.status !== 404)) throw problem;
    await api.get("/me");
    return loadTimeline(session_id, { signal: abort.signal });
  }

  /** @returns {Promise<Outcome>} */
  async function ask() {
    try {
      const replay = await read();
      return replay ? (replay.live ? "new" : "final") : "same";
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 404) throw problem;
      failed(problem);
      return "gone";
    }
  }

  return {
    load,
    close() {
      abort.abort();
      stopAsking?.();
    },
  };
}
