// Rows of one or several tracks in order of time.

/** @typedef {import('./panel_types.js').Columns} Columns */

/**
 * Rows of several tracks by time: row r is place[r] of tracks[track[r]]; `zero_ms`: device time of t = 0.
 * @typedef {{names: string[], tracks: Columns[], count: number, zero_ms: number,
 *   t: Float64Array, track: Uint8Array, place: Uint32Array}} Rows
 */

/**
 * Merge tracks by corrected time, ties by place in the recording; absent and empty tracks are left out.
 * @param {Record<string, Columns | undefined>} tracks
 * @param {string[]} names at most 255
 * @param {number} [zero_ms] device time of t = 0
 * @returns {Rows}
 */
export function mergeTracks(tracks, names, zero_ms = 0) {
  const present = names.filter((name) => tracks[name]?.t.length);
  const columns = present.map((name) => /** @type {Columns} */ (tracks[name]));
  const orders = columns.map(orderOf);
  const count = columns.reduce((sum, each) => sum + each.t.length, 0);
  const rows = {
    names: present,
    tracks: columns,
    count,
    zero_ms,
    t: new Float64Array(count),
    track: new Uint8Array(count),
    place: new Uint32Array(count),
  };
  const next = new Array(columns.length).fill(0);
  for (let row = 0; row < count; row += 1) {
    const first = earliest(columns, orders, next);
    const place = orders[first][next[first]];
    next[first] += 1;
    rows.t[row] = columns[first].t[place];
    rows.track[row] = first;
    rows.place[row] = place;
  }
  return rows;
}

/**
 * A column's value of a row; undefined where the track has no such column.
 * @param {Rows} rows
 * @param {number} row
 * @param {string} column
 */
export function valueOf(rows, row, column) {
  return rows.tracks[rows.track[row]][column]?.[rows.place[row]];
}

/**
 * The same as text, empty for nothing.
 * @param {Rows} rows
 * @param {number} row
 * @param {string} column
 */
export function textOf(rows, row, column) {
  const value = valueOf(rows, row, column);
  return value === undefined || value === null ? "" : String(value);
}

/**
 * Name of a row's track.
 * @param {Rows} rows
 * @param {number} row
 */
export function kindOf(rows, row) {
  return rows.names[rows.track[row]];
}

/**
 * A name for a row that outlives new versions of a live replay, in which places and the clock's correction change:
 * its kind, its time on the device, and which of several at that time it is.
 * @param {Rows} rows
 * @param {number} row
 */
export function keyOf(rows, row) {
  const { t } = rows.tracks[rows.track[row]];
  const place = rows.place[row];
  let first = place;
  while (first > 0 && t[first - 1] === t[place]) first -= 1;
  return `${kindOf(rows, row)}:${rows.t[row] + rows.zero_ms}:${place - first}`;
}

/**
 * Places of a track by time; as they are when they are in order.
 * @param {Columns} columns
 */
function orderOf(columns) {
  const { t } = columns;
  const order = Uint32Array.from({ length: t.length }, (_, place) => place);
  for (let place = 1; place < t.length; place += 1) {
    if (t[place] < t[place - 1]) return order.sort((a, b) => t[a] - t[b] || a - b);
  }
  return order;
}

/**
 * Which track's next row comes first.
 * @param {Columns[]} columns
 * @param {Uint32Array[]} orders
 * @param {number[]} next
 */
function earliest(columns, orders, next) {
  let best = -1;
  let bestTime = 0;
  let bestIndex = 0;
  for (let track = 0; track < columns.length; track += 1) {
    if (next[track] >= orders[track].length) continue;
    const place = orders[track][next[track]];
    const time = columns[track].t[place];
    const index = columns[track].i?.[place] ?? 0;
    if (best < 0 || time < bestTime || (time === bestTime && index < bestIndex)) {
      [best, bestTime, bestIndex] = [track, time, index];
    }
  }
  return best;
}
