// Whole messages of the recording and events of other collectors, fetched when somebody wants to see one.

import { TRACK_TYPES } from "../schema.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/**
 * One message as GET /api/v1/replays/{id}/messages shows it.
 * @typedef {{index: number, type: number, name: string, timestamp_ms: number, device_timestamp_ms: number,
 *   fields: Record<string, any>}} Message
 */
/**
 * What is known of something that was asked for; `key` says what.
 * @typedef {{key: string, status: "loading"} | {key: string, status: "ready", found: any}
 *   | {key: string, status: "failed", problem: string}} Loaded
 */

const PAGE = 1000;
const MAX_PAGES = 5;
/** a viewer who walks through a list with the arrow keys asks for the row where it ends */
const PAUSE_MS = 120;

/** The newest question of each panel. @type {Map<string, AbortController>} */
const asking = new Map();

/**
 * Ask for a row's message; `set` hears of it as `loaded`. Asking again gives the panel's earlier question up.
 * @param {string} panel
 * @param {PanelView} view
 * @param {string} track
 * @param {number} place in the track
 * @param {string} key
 */
export function loadMessage(panel, view, track, place, key) {
  return load(panel, view, key, (signal) => fetchMessage(view.replay, view.api, track, place, signal));
}

/**
 * The same for an event of another collector.
 * @param {string} panel
 * @param {PanelView} view
 * @param {string} id
 * @param {string} key
 */
export function loadEvent(panel, view, id, key) {
  const project = view.replay.meta.project;
  return load(panel, view, key, (signal) =>
    view.api.get(`/events/${encodeURIComponent(id)}`, { params: { project }, signal }),
  );
}

/**
 * @param {string} panel
 * @param {PanelView} view
 * @param {string} key
 * @param {(signal: AbortSignal) => Promise<any>} fetch
 */
async function load(panel, { set }, key, fetch) {
  asking.get(panel)?.abort();
  const mine = new AbortController();
  const { signal } = mine;
  asking.set(panel, mine);
  set({ loaded: { key, status: "loading" } });
  await new Promise((done) => setTimeout(done, PAUSE_MS));
  if (signal.aborted) return;
  try {
    const found = await fetch(signal);
    if (!signal.aborted) set({ loaded: { key, status: "ready", found } });
  } catch (problem) {
    const text = problem instanceof Error ? problem.message : "It could not be loaded.";
    if (!signal.aborted) set({ loaded: { key, status: "failed", problem: text } });
  }
}

/**
 * The message of a row of a track. Live sessions move the places of messages when others come in between: there the
 * n-th of its kind at its time is taken.
 * @param {Replay} replay
 * @param {import("../api.js").Api} api
 * @param {string} track
 * @param {number} place
 * @param {AbortSignal} signal
 * @returns {Promise<Message>}
 */
async function fetchMessage(replay, api, track, place, signal) {
  const { t, i } = replay.tracks[track];
  const at_ms = replay.start_ms + t[place];
  const params = { type: TRACK_TYPES[track].join(","), from_ms: at_ms, to_ms: at_ms, limit: PAGE };
  /** @type {Message[]} */
  const found = [];
  let cursor = "";
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const path = `/replays/${replay.meta.session_id}/messages`;
    const answer = await api.get(path, { params: { ...params, cursor }, signal });
    found.push(...answer.messages);
    const exact = found.find((message) => message.index === i[place]);
    if (exact) return exact;
    if (!answer.next_cursor) break;
    cursor = answer.next_cursor;
  }
  const message = found[place - t.indexOf(t[place])];
  if (!message) throw new Error("The recording no longer holds this message; open it again to see its newest version.");
  return message;
}
