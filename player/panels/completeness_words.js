// What a recording lacks, in words.

import { clock, count, dateTime, duration, plural } from "../draw/format.js";

/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("../replay/data.js").Completeness} Completeness */
/**
 * `level`: missing data, data that may come or were put right, nothing to mend. `at_ms`: where in the session.
 * @typedef {{level: "missing" | "note" | "fine", text: string, at_ms?: number}} Statement
 */

/** a shift of the clock that nobody would see */
const SMALL_SHIFT_MS = 1000;
const NAMED_RANGES = 3;

/**
 * Everything worth saying, what is missing first; one "fine" statement alone when nothing is.
 * @param {Replay} replay
 * @returns {Statement[]}
 */
export function statementsOf(replay) {
  const found = [
    ...indexGaps(replay.completeness),
    ...gaps(replay),
    ...counts(replay),
    ...arrivals(replay),
    ...clockShift(replay),
  ];
  const missing = found.filter((each) => each.level === "missing");
  const rest = found.filter((each) => each.level !== "missing");
  if (missing.length === 0 && !replay.live) rest.unshift({ level: "fine", text: "Complete: nothing missing." });
  return [...missing, ...rest];
}

/**
 * The device's clock beside the server's, in words.
 * @param {number} offset_ms corrected = device + offset
 */
export function clockWords(offset_ms) {
  if (offset_ms === 0) return "The device\u2019s clock agrees with the server\u2019s.";
  const way = offset_ms > 0 ? "behind" : "ahead of";
  const shift = `The device\u2019s clock was ${duration(Math.abs(offset_ms))} ${way} the server\u2019s`;
  return Math.abs(offset_ms) < SMALL_SHIFT_MS ? `${shift}.` : `${shift}; the times shown are corrected.`;
}

/**
 * The SDK numbers its messages and gives new numbers to what it sends again: a gap is no proof of a loss.
 * @param {Completeness} completeness
 * @returns {Statement[]}
 */
function indexGaps({ index_ranges: ranges, more_index_ranges: untold }) {
  const gaps = ranges.slice(1).map(([first], at) => [ranges[at][1] + 1, first - 1]);
  if (gaps.length === 0) return [];
  const lacking = gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const named = gaps
    .slice(0, NAMED_RANGES)
    .map(([first, last]) => (first === last ? `${first}` : `${first}\u2013${last}`));
  const unnamed = Math.max(gaps.length - NAMED_RANGES, 0) + untold;
  const more = unnamed > 0 ? ` and ${plural(unnamed, "more range")}` : "";
  const least = untold > 0 ? "At least " : "";
  const numbers = lacking === 1 ? "number is" : "numbers are";
  return [
    {
      level: "missing",
      text: `${least}${count(lacking)} message ${numbers} missing (${named.join(", ")}${more}): lost on the way, or sent again under new numbers.`,
    },
  ];
}

/**
 * @param {Replay} replay
 * @returns {Statement[]}
 */
function gaps({ gaps: found, completeness, meta }) {
  const removed_ms = meta.completeness?.frames_dropped_ms;
  if (removed_ms) {
    const text = `The pictures were removed on ${dateTime(removed_ms)} to make room on the server; all else is kept.`;
    return [{ level: "missing", text }, ...gapsOf(found, "all", "Nothing was received")];
  }
  if (completeness.frames === 0) return [{ level: "missing", text: "No pictures were received." }];
  return [...gapsOf(found, "all", "Nothing was received"), ...gapsOf(found, "pictures", "No picture was received")];
}

/**
 * @param {Replay["gaps"]} all
 * @param {string} kind
 * @param {string} what
 * @returns {Statement[]}
 */
function gapsOf(all, kind, what) {
  const found = all.filter((gap) => gap.kind === kind);
  if (found.length === 0) return [];
  const longest = found.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
  const where = `${duration(longest.to - longest.from)} at ${clock(longest.from)}`;
  const total = found.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const text =
    found.length === 1
      ? `${what} for ${where}, although the app was in front.`
      : `${what} in ${found.length} gaps, ${duration(total)} together, although the app was in front; the longest: ${where}.`;
  return [{ level: "missing", text, at_ms: longest.from }];
}

/**
 * @param {Replay} replay
 * @returns {Statement[]}
 */
function counts({ completeness, tracks, meta }) {
  /** @type {Statement[]} */
  const found = [];
  const say = (/** @type {number} */ number, /** @type {string} */ one, /** @type {string} */ rest) => {
    if (number > 0) found.push({ level: "missing", text: `${plural(number, one)} ${rest}.` });
  };
  const decoded = Object.entries(tracks).reduce(
    (sum, [name, each]) => sum + (name === "collected" ? 0 : each.t.length),
    0,
  );
  say(completeness.unreadable_parts, "upload", "could not be read and stayed out");
  say(meta.completeness?.quarantined ?? 0, "upload", "in quarantine, wholly or in part: see the dead letters");
  say(completeness.cut_messages, "message", "left out, the session is over its size limit");
  say(completeness.messages - decoded, "message", "kept that cannot be decoded");
  return found;
}

/**
 * @param {Replay} replay
 * @returns {Statement[]}
 */
function arrivals({ live, completeness }) {
  /** @type {Statement[]} */
  const found = live ? [{ level: "note", text: "Still arriving: this session may grow." }] : [];
  const late = completeness.late_parts;
  if (late > 0) {
    found.push({
      level: "note",
      text: `${plural(late, "upload")} came after the session had ended and ${late === 1 ? "was" : "were"} put in place.`,
    });
  }
  return found;
}

/**
 * @param {Replay} replay
 * @returns {Statement[]}
 */
function clockShift({ offset_ms }) {
  return Math.abs(offset_ms) < SMALL_SHIFT_MS ? [] : [{ level: "note", text: clockWords(offset_ms) }];
}
