/**
 * Asks the API for the list: first page, further ones, what is new. Of several answers only the one to the last
 * question counts.
 *
 * @import { Api } from "../api.js"
 * @import { ReplayOut, ReplaysOut } from "../types.js"
 * @import { Filters } from "./filters.js"
 * @import { Rows } from "./rows.js"
 * @import { Store } from "../store.js"
 */

import { ApiError, isAbort } from "../api.js";
import { apiParams } from "./filters.js";
import { patient } from "./patience.js";
import { NO_ROWS, firstPage, nextPage, refreshed, unseen, withNew } from "./rows.js";

const PAGE = 100;
const MAX_PAGE = 1000;
const NEWEST = 50;
const PACE = { first_ms: 4_000, last_ms: 60_000 };
const FIRST_PACE = { first_ms: 1_500, last_ms: 10_000 }; // while somebody waits for the first session

/**
 * @typedef {object} Loaded
 * @property {Filters} filters  what the rows were, or are being, asked for
 * @property {"loading" | "ready" | "failed"} phase  of the first page; the rows of before stay while it is loading
 * @property {Rows} rows
 * @property {boolean} more  a further page is on its way
 * @property {ApiError | null} problem  why the last question was refused
 * @property {readonly ReplayOut[]} fresh  sessions that came since, not shown yet
 * @property {boolean} many  there are more of them than were read
 */

/** @param {Filters} filters @returns {Loaded} */
export function nothingLoaded(filters) {
  return { filters, phase: "loading", rows: NO_ROWS, more: false, problem: null, fresh: [], many: false };
}

/**
 * @param {Api} api
 * @param {Store<any> & {readonly state: Loaded}} store
 * @param {(fresh: readonly ReplayOut[]) => void} arrived  told of sessions that are new in a list
 */
export function createLoader(api, store, arrived) {
  let asking = new AbortController();
  let asked_ms = Date.now();
  const polling = patient(look, () => (store.state.rows.all.length ? PACE : FIRST_PACE));

  /** @param {Filters} filters @param {number} rows how many to begin with */
  async function load(filters, rows = PAGE) {
    const signal = anew();
    asked_ms = Date.now();
    store.set({ filters, phase: "loading", more: false, problem: null, fresh: [], many: false });
    try {
      const page = await askOn(filters, { limit: Math.min(Math.max(rows, PAGE), MAX_PAGE) }, signal);
      if (signal.aborted) return;
      store.set({ phase: "ready", rows: firstPage(page) });
    } catch (problem) {
      if (!signal.aborted) store.set({ phase: "failed", problem: refusalOf(problem), rows: NO_ROWS });
    }
    if (!signal.aborted) polling.restart();
  }

  async function more() {
    const { phase, rows, filters, more: busy } = store.state;
    if (phase !== "ready" || busy || rows.cursor === null) return;
    const { signal } = asking;
    store.set({ more: true, problem: null });
    try {
      const page = await askOn(filters, { limit: PAGE, cursor: rows.cursor }, signal);
      if (!signal.aborted) store.set({ rows: nextPage(store.state.rows, page), more: false });
    } catch (problem) {
      if (!signal.aborted) store.set({ more: false, problem: refusalOf(problem) });
    }
  }

  /** Looks for what is new; whether there was anything. */
  async function look() {
    const { phase, filters, rows: before } = store.state;
    if (phase !== "ready" || (filters.sort !== "newest" && before.all.length)) return false;
    const { signal } = asking;
    const page = await ask(filters, { limit: NEWEST }, signal);
    if (signal.aborted) return false;
    const rows = refreshed(store.state.rows, page.replays);
    const fresh = unseen(rows, page.replays);
    const isNews = fresh.length > store.state.fresh.length;
    store.set({ rows, fresh, many: fresh.length === NEWEST && page.next_cursor !== null });
    if (isNews && rows.all.length) arrived(fresh);
    return isNews || page.replays.some(({ status }) => status === "live");
  }

  /** Puts what is new into the list; how many rows that adds above the others. */
  function showNew() {
    const { rows, fresh, many, filters } = store.state;
    if (many) void load(filters);
    else store.set({ rows: withNew(rows, fresh), fresh: [], many: false });
  }

  /**
   * @param {Filters} filters
   * @param {object} page
   * @param {AbortSignal} signal
   * @returns {Promise<ReplaysOut>}
   */
  function ask(filters, page, signal) {
    return api.get("/replays", { params: { ...apiParams(filters, asked_ms), ...page }, signal });
  }

  /**
   * The next page that has rows: where few of very many sessions match, one can end before anything is found.
   *
   * @param {Filters} filters
   * @param {{limit: number, cursor?: string}} page
   * @param {AbortSignal} signal
   * @returns {Promise<ReplaysOut>}
   */
  async function askOn(filters, page, signal) {
    let answer = await ask(filters, page, signal);
    while (!answer.replays.length && answer.next_cursor !== null && !signal.aborted) {
      answer = await ask(filters, { ...page, cursor: answer.next_cursor }, signal);
    }
    return answer;
  }

  function anew() {
    asking.abort();
    asking = new AbortController();
    return asking.signal;
  }

  return {
    load,
    more,
    showNew,
    /** The loaded state of before, taken up again. @param {Loaded} loaded */
    resume(loaded) {
      anew();
      store.set({ ...loaded, more: false });
      polling.restart();
    },
    close() {
      asking.abort();
      polling.stop();
    },
  };
}

/** @param {unknown} problem */
function refusalOf(problem) {
  if (problem instanceof ApiError) return problem;
  if (isAbort(problem)) return null;
  throw problem;
}
