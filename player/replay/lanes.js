/**
 * What the timeline shows: kinds of marks in lanes, their density, the marks near a moment. Pure.
 *
 * @import { Replay } from "./data.js"
 */

import { duration } from "../draw/format.js";
import { touchLabel } from "../panels/touch_label.js";
import { issueNamed } from "../draw/issue_kinds.js";
import { firstFrom } from "./search.js";

/**
 * One kind of mark. `colour`: a custom property of the style sheet; `name`: what a mark is called;
 * `rank`: of several marks near a moment the highest is named first.
 * @typedef {{id: string, colour: string, rank: number, times: ArrayLike<number>, name: (place: number) => string}} Marks
 */
/** @typedef {{id: string, label: string, marks: Marks[]}} Lane marks of a lane are drawn over one another, last on top */
/** @typedef {{t: number, text: string, colour: string, rank: number}} Named */

const CRASH = "--c-crash";

/**
 * @param {Replay} replay
 * @returns {Lane[]}
 */
export function lanesOf({ tracks, issues }) {
  const get = (/** @type {string} */ track, /** @type {string} */ column) => tracks[track]?.[column] ?? [];
  /** @type {(track: string, id: string, colour: string, rank: number, name: (k: number) => string) => Marks} */
  const marks = (track, id, colour, rank, name) => ({ id, colour, rank, times: tracks[track]?.t ?? [], name });
  const failed = rowsWhere(get("network", "status"), (status) => status >= 400 || status === 0);
  const errors = rowsWhere(get("logs", "severity"), (severity) => severity === "error");
  const viewOf = (/** @type {string} */ track, /** @type {number} */ k) => touchLabel(get(track, "label")[k]).title;
  const others = issues.filter((issue) => issue.type !== "crash");
  const call = (/** @type {number} */ k) => {
    const status = get("network", "status")[k] || "failed";
    return `${get("network", "method")[k]} ${status} ${pathOf(get("network", "url")[k])}, ${duration(get("network", "duration")[k] ?? 0)}`;
  };
  return [
    {
      id: "issues",
      label: "Issues",
      marks: [
        {
          id: "issue",
          colour: "--c-issue",
          rank: 9,
          times: others.map((issue) => issue.t),
          name: (k) => `${issueNamed(others[k].type).label}: ${others[k].title}`,
        },
        marks("crashes", "crash", CRASH, 10, (k) => `Crash: ${get("crashes", "name")[k]}`),
      ],
    },
    {
      id: "touches",
      label: "Touches",
      marks: [
        marks("swipes", "swipe", "--c-swipe", 3, (k) => `Swipe ${get("swipes", "direction")[k]}`),
        marks("taps", "tap", "--c-tap", 5, (k) => `Tap ${viewOf("taps", k)}`),
        marks("inputs", "input", "--c-input", 6, (k) => `Typed into ${viewOf("inputs", k)}`),
      ],
    },
    {
      id: "network",
      label: "Network",
      marks: [
        marks("network", "network", "--c-network", 1, call),
        {
          id: "network-error",
          colour: "--c-error",
          rank: 8,
          times: pick(tracks.network?.t, failed),
          name: (k) => call(failed[k]),
        },
      ],
    },
    {
      id: "events",
      label: "Events",
      marks: [
        marks("collected", "collected", "--c-event", 2, (k) => `${get("collected", "source")[k]}: ${get("collected", "name")[k]}`),
        marks("events", "event", "--c-event", 2, (k) => `Event ${get("events", "name")[k]}`),
        {
          id: "log-error",
          colour: "--c-error",
          rank: 4,
          times: pick(tracks.logs?.t, errors),
          name: (k) => `Log: ${String(get("logs", "content")[errors[k]]).trim()}`,
        },
      ],
    },
  ];
}

/**
 * How many times fall on each pixel.
 * @param {ArrayLike<number>} times ascending
 * @param {number} from_ms
 * @param {number} to_ms
 * @param {number} pixels
 */
export function densityOf(times, from_ms, to_ms, pixels) {
  const counts = new Uint32Array(Math.max(pixels, 0));
  const scale = pixels / Math.max(to_ms - from_ms, 1);
  for (let k = firstFrom(times, from_ms); k < times.length && times[k] <= to_ms; k++) {
    counts[Math.min(Math.floor((times[k] - from_ms) * scale), pixels - 1)]++;
  }
  return counts;
}

/**
 * Marks within `reach_ms` of a moment, the most telling first, at most `most`.
 * @param {Lane[]} lanes
 * @param {number} t
 * @param {number} reach_ms
 * @param {number} most
 * @returns {Named[]}
 */
export function marksNear(lanes, t, reach_ms, most) {
  /** @type {Named[]} */
  const found = [];
  for (const { marks } of lanes) {
    for (const { times, name, colour, rank } of marks) {
      const place = nearest(times, t);
      if (place >= 0 && Math.abs(times[place] - t) <= reach_ms) {
        found.push({ t: times[place], text: name(place), colour, rank });
      }
    }
  }
  const told = new Set();
  return found
    .sort((a, b) => b.rank - a.rank)
    .filter(({ text, t: at }) => !told.has(`${at} ${text}`) && told.add(`${at} ${text}`))
    .slice(0, most);
}

/** @param {ArrayLike<number>} times @param {number} t */
function nearest(times, t) {
  const after = firstFrom(times, t);
  if (after === 0) return times.length ? 0 : -1;
  return after === times.length || t - times[after - 1] <= times[after] - t ? after - 1 : after;
}

/** @param {any[]} column @param {(value: any) => boolean} wanted */
function rowsWhere(column, wanted) {
  /** @type {number[]} */
  const rows = [];
  for (let k = 0; k < column.length; k++) if (wanted(column[k])) rows.push(k);
  return rows;
}

/** @param {number[] | undefined} times @param {number[]} rows */
function pick(times, rows) {
  return Float64Array.from(rows, (row) => times?.[row] ?? 0);
}

/** @param {string} url */
function pathOf(url) {
  return String(url).replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/[?#].*$/s, "") || String(url);
}
