/**
 * Draws the timeline's still parts on a canvas: the track with what is missing, and the lanes of marks.
 *
 * @import { Replay } from "./data.js"
 * @import { Lane } from "./lanes.js"
 * @import { Stretch } from "./stretches.js"
 */

import { clock } from "../draw/format.js";
import { oneLine } from "../panels/safe_text.js";
import { densityOf } from "./lanes.js";

/** @typedef {CanvasRenderingContext2D} Pen in CSS px */
/** @typedef {{from: number, to: number}} Window the stretch of the session that the bar shows, ms */
/** @typedef {(token: string) => string} Ink a custom property's colour */
/** @typedef {{top: number, height: number}} Strip */
/** @typedef {{ruler: Strip, track: Strip, screens: Strip | null, lanes: Strip[], height: number}} Layout */

const RULER = 11;
const TRACK = 10;
const LANE = 11;
const SCREENS = 16;
const GAP = 3;
const MIN_MARK = 2;
/** Room for one time on the ruler. */
const RULER_PX = 70;
const HOUR_MS = 3_600_000;
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600].map((s) => s * 1_000);

/**
 * Where everything lies, top down.
 * @param {number} lanes
 * @param {boolean} screens whether the names of screens have a strip
 * @returns {Layout}
 */
export function layoutOf(lanes, screens) {
  let top = 0;
  const strip = (/** @type {number} */ height) => {
    const made = { top, height };
    top += height + GAP;
    return made;
  };
  const ruler = strip(RULER);
  const track = strip(TRACK);
  const named = screens ? strip(SCREENS) : null;
  return { ruler, track, screens: named, lanes: Array.from({ length: lanes }, () => strip(LANE)), height: top - GAP };
}

/**
 * Times of the session at even distances.
 * @param {Pen} pen
 * @param {Strip} strip
 * @param {Window} window
 * @param {(t: number) => number} x
 * @param {number} width
 * @param {Ink} ink
 * @param {string} font
 */
export function paintRuler(pen, { top, height }, window, x, width, ink, font) {
  pen.font = font;
  pen.textBaseline = "alphabetic";
  pen.fillStyle = ink("--text-2");
  const step = stepOf(window.to - window.from, width);
  for (let t = Math.ceil(window.from / step) * step; t <= window.to; t += step) {
    const text = clock(t);
    const room = pen.measureText(text).width;
    const left = Math.min(Math.max(x(t) - room / 2, 0), width - room);
    pen.fillText(text, left, top + height - 2);
  }
}

/**
 * The distance of times on the ruler: a round one that leaves room for their figures.
 * @param {number} span_ms
 * @param {number} width
 */
export function stepOf(span_ms, width) {
  const least = (span_ms * RULER_PX) / Math.max(width, 1);
  return STEPS_MS.find((step) => step >= least) ?? Math.ceil(least / HOUR_MS) * HOUR_MS;
}

/**
 * The track: the session's length, what is loaded, and where nothing is. What would be skipped is thinner.
 * @param {Pen} pen
 * @param {Replay} replay
 * @param {{buffered: Stretch[], skipping: boolean}} state
 * @param {Strip} strip
 * @param {(t: number) => number} x
 * @param {Ink} ink
 */
export function paintTrack(pen, replay, { buffered, skipping }, { top, height }, x, ink) {
  const band = (/** @type {Stretch} */ { from, to }) => /** @type {const} */ ([x(from), top, Math.max(x(to) - x(from), 1), height]);
  pen.fillStyle = ink("--timeline-track");
  pen.fillRect(...band({ from: 0, to: replay.duration_ms }));
  pen.fillStyle = ink("--timeline-away");
  for (const each of replay.background) pen.fillRect(...band(each));
  for (const each of replay.gaps) hatch(pen, band(each), ink(each.kind === "all" ? "--bad" : "--warn"));
  if (replay.pending) hatch(pen, band(replay.pending), ink("--timeline-away"));
  for (const { from, to } of skipping ? replay.inactive : []) {
    pen.clearRect(x(from), top, x(to) - x(from), height / 2 - 1.5);
    pen.clearRect(x(from), top + height / 2 + 1.5, x(to) - x(from), height);
  }
  pen.fillStyle = ink("--timeline-loaded");
  for (const { from, to } of buffered) pen.fillRect(x(from), top + height - 2, Math.max(x(to) - x(from), 1), 2);
}

/**
 * Screens with their names, where these fit.
 * @param {Pen} pen
 * @param {(Stretch & {screen: string})[]} visits
 * @param {Strip} strip
 * @param {(t: number) => number} x
 * @param {number} width
 * @param {Ink} ink
 * @param {string} font
 */
export function paintScreens(pen, visits, { top, height }, x, width, ink, font) {
  pen.font = font;
  pen.textBaseline = "middle";
  let painted = -Infinity;
  visits.forEach(({ from, to, screen }, k) => {
    const [left, right] = [Math.max(x(from), 0), Math.min(x(to), width)];
    if (right <= 0 || left >= width || right < painted + 1) return;
    painted = right;
    pen.fillStyle = ink(k % 2 ? "--timeline-screen-2" : "--timeline-screen");
    pen.fillRect(left, top, Math.max(right - left - 1, 1), height);
    const name = fitted(pen, oneLine(screen, 80), right - left - 9);
    pen.fillStyle = ink("--text-2");
    if (name) pen.fillText(name, left + 4, top + height / 2 + 0.5);
  });
}

/**
 * One lane: a mark per pixel that has any, stronger where there are more.
 * @param {Pen} pen
 * @param {Lane} lane
 * @param {Strip} strip
 * @param {Window} window
 * @param {number} width
 * @param {Ink} ink
 */
export function paintLane(pen, lane, { top, height }, window, width, ink) {
  pen.fillStyle = ink("--line");
  pen.fillRect(0, top + height / 2 - 0.5, width, 1);
  for (const marks of lane.marks) {
    const counts = densityOf(marks.times, window.from, window.to, Math.floor(width));
    pen.fillStyle = ink(marks.colour);
    for (let at = 0; at < counts.length; at++) {
      if (!counts[at]) continue;
      pen.globalAlpha = marks.rank >= 8 ? 1 : Math.min(0.55 + 0.15 * counts[at], 1);
      if (marks.rank >= 9) flag(pen, Math.min(Math.max(at, height / 2), width - height / 2), top, height);
      else pen.fillRect(at - MIN_MARK / 2, top + 1, MIN_MARK, height - 2);
    }
  }
  pen.globalAlpha = 1;
}

/** @param {Pen} pen @param {number} x @param {number} top @param {number} height */
function flag(pen, x, top, height) {
  const half = height / 2;
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x + half, top + half);
  pen.lineTo(x, top + height);
  pen.lineTo(x - half, top + half);
  pen.fill();
}

/** @param {Pen} pen @param {readonly [number, number, number, number]} band @param {string} colour */
function hatch(pen, [left, top, width, height], colour) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let at = left - height; at < left + width; at += 5) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.stroke();
  pen.restore();
}

/** @param {Pen} pen @param {string} text @param {number} room */
function fitted(pen, text, room) {
  if (room < 16) return "";
  if (pen.measureText(text).width <= room) return text;
  let length = Math.min(text.length, Math.ceil(room / 4));
  while (length > 1 && pen.measureText(`${text.slice(0, length)}\u2026`).width > room) length--;
  return length > 1 ? `${text.slice(0, length)}\u2026` : "";
}
