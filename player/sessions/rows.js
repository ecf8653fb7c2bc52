/**
 * The rows that are loaded: pages put together, each session once. Pure.
 *
 * @import { ReplayOut, ReplaysOut } from "../types.js"
 */

/**
 * @typedef {object} Rows
 * @property {readonly ReplayOut[]} all  in the list's order
 * @property {ReadonlySet<string>} ids
 * @property {string | null} cursor  of the page after them; null: that is all
 */

/** @type {Rows} */
export const NO_ROWS = { all: [], ids: new Set(), cursor: null };

/** The first page. @param {ReplaysOut} page @returns {Rows} */
export function firstPage(page) {
  return nextPage(NO_ROWS, page);
}

/**
 * A further page behind them; sessions that are there already (they moved while paging) stay where they are.
 *
 * @param {Rows} rows
 * @param {ReplaysOut} page
 * @returns {Rows}
 */
export function nextPage(rows, page) {
  const ids = new Set(rows.ids);
  const more = [];
  for (const replay of page.replays) {
    if (ids.has(replay.session_id)) continue;
    ids.add(replay.session_id);
    more.push(replay);
  }
  return { all: rows.all.concat(more), ids, cursor: page.next_cursor };
}

/**
 * Newer data of sessions that are there, in place.
 *
 * @param {Rows} rows
 * @param {readonly ReplayOut[]} replays
 * @returns {Rows}
 */
export function refreshed(rows, replays) {
  const newer = new Map(replays.map((each) => [each.session_id, each]));
  let changed = false;
  const all = rows.all.map((row) => {
    const now = newer.get(row.session_id);
    if (!now || !differs(row, now)) return row;
    changed = true;
    return now;
  });
  return changed ? { ...rows, all } : rows;
}

/** @param {ReplayOut} row @param {ReplayOut} newer */
function differs(row, newer) {
  return (
    row.received_ms !== newer.received_ms ||
    row.status !== newer.status ||
    row.duration_ms !== newer.duration_ms ||
    row.counts.messages !== newer.counts.messages ||
    row.issues.length !== newer.issues.length ||
    row.user.id !== newer.user.id
  );
}

/**
 * Sessions of the newest page that the list, newest first, does not show yet.
 *
 * @param {Rows} rows
 * @param {readonly ReplayOut[]} newest
 * @returns {ReplayOut[]}
 */
export function unseen(rows, newest) {
  const last = rows.cursor === null ? undefined : rows.all.at(-1);
  return newest.filter((each) => !rows.ids.has(each.session_id) && (!last || isNewer(each, last)));
}

/**
 * With these put where they belong, newest first.
 *
 * @param {Rows} rows
 * @param {readonly ReplayOut[]} replays
 * @returns {Rows}
 */
export function withNew(rows, replays) {
  const added = replays.filter(({ session_id }) => !rows.ids.has(session_id));
  const all = [...added, ...rows.all].sort((a, b) => (isNewer(a, b) ? -1 : isNewer(b, a) ? 1 : 0));
  return { ...rows, all, ids: new Set(all.map(({ session_id }) => session_id)) };
}

/** @param {ReplayOut} a @param {ReplayOut} b */
function isNewer(a, b) {
  if (a.started_ms !== b.started_ms) return a.started_ms > b.started_ms;
  return BigInt(a.session_id) > BigInt(b.session_id);
}
