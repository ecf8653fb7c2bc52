// Measured values of a session as series to draw: which exist, in which unit, by platform.

import { firstAfter, lastAt } from "../replay/search.js";
import { GAUGES } from "../schema.js";
import { perObject } from "./memo.js";

/** @typedef {import("./panel_types.js").Columns} Columns */
/**
 * `shape`: a curve, steps that hold until the next value, or moments without a value.
 * @typedef {{name: string, title: string, unit: string, note: string, shape: "curve" | "steps" | "moments",
 *   states: Record<number, string>, t: number[], v: number[]}} Series
 */

const MIB = 1024 * 1024;
/** in this order; others follow as they come */
const ORDER = ["mainThreadCPU", "memoryUsage", "fps", "batteryLevel", "thermalState"];
/** told once, or shading of their own: no charts */
const FACTS = new Set(["background", "physicalMemory", "processorCount", "activeProcessorCount", "systemUptime"]);
const STEPS = new Set(["batteryLevel"]);

/**
 * All series of a replay.
 * @param {Columns | undefined} performance
 * @param {string} platform
 * @returns {Series[]}
 */
export function seriesOf(performance, platform) {
  const byName = collect(performance);
  const names = [...byName.keys()].filter((name) => !FACTS.has(name));
  const rank = (/** @type {string} */ name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  names.sort((a, b) => rank(a) - rank(b));
  return names.map((name) => oneSeries(name, platform, /** @type {Points} */ (byName.get(name))));
}

/**
 * What was told about the device among the measurements: [title, value with its unit].
 * @param {Columns | undefined} performance
 * @param {string} platform
 * @returns {[string, string][]}
 */
export function factsOf(performance, platform) {
  return [...collect(performance)].flatMap(([name, points]) => {
    const gauge = gaugeOf(name, platform);
    if (!gauge || !FACTS.has(name) || name === "background") return [];
    const value = points.v[0];
    const text =
      gauge.unit === "bytes" ? `${rounded(value / MIB)} MiB` : `${value} ${gauge.unit === "count" ? "" : gauge.unit}`;
    return [/** @type {[string, string]} */ ([gauge.title, text.trim()])];
  });
}

/** Least, mean and greatest value of a series. */
export const summaryOf = perObject((/** @type {Series} */ { v }) => {
  let [sum, least, most] = [0, Infinity, -Infinity];
  for (const value of v) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { count: v.length, least, mean: sum / v.length, most };
});

/**
 * The last value told at a time; undefined before the first.
 * @param {Series} series
 * @param {number} at_ms
 * @returns {number | undefined}
 */
export function valueAt({ t, v }, at_ms) {
  return v[lastAt(t, at_ms)];
}

/**
 * A value of a series in words: `42 %`, `210.5 MiB`, `charging`.
 * @param {Series} series
 * @param {number | undefined} value
 */
export function valueText(series, value) {
  if (value === undefined) return "\u2013";
  const state = series.states[value];
  if (state !== undefined) return state;
  const number = rounded(value).toLocaleString("en-US");
  return series.unit === "" ? number : `${number} ${series.unit}`;
}

/**
 * What is drawn on `pixels` columns of a span: per column the least and the greatest value, in the order they came.
 * Points beside the span that its first and last line lead to are kept.
 * @param {number[]} t ascending
 * @param {number[]} v
 * @param {{from: number, to: number, pixels: number}} window
 * @returns {{t: number[], v: number[]}}
 */
export function downsample(t, v, { from, to, pixels }) {
  const first = Math.max(0, firstAfter(t, from) - 1);
  const last = Math.min(t.length, firstAfter(t, to) + 1);
  if (last - first <= pixels * 2) return { t: t.slice(first, last), v: v.slice(first, last) };
  const width = (to - from) / pixels;
  /** @type {number[]} */
  const kept = [];
  let column = -Infinity;
  let [least, most] = [first, first];
  for (let at = first; at <= last; at += 1) {
    const here = at < last ? Math.floor((t[at] - from) / width) : Infinity;
    if (here !== column) {
      if (at > first) kept.push(Math.min(least, most), ...(least === most ? [] : [Math.max(least, most)]));
      [column, least, most] = [here, at, at];
    } else if (v[at] < v[least]) least = at;
    else if (v[at] > v[most]) most = at;
  }
  return { t: kept.map((at) => t[at]), v: kept.map((at) => v[at]) };
}

/**
 * A curve's points with a break (null) wherever nothing was measured.
 * @param {{t: number[], v: number[]}} points
 * @param {{from: number, to: number}[]} breaks by time
 * @returns {{t: number[], v: (number | null)[]}}
 */
export function broken(points, breaks) {
  /** @type {{t: number[], v: (number | null)[]}} */
  const made = { t: [], v: [] };
  let span = 0;
  points.t.forEach((t, at) => {
    while (span < breaks.length && breaks[span].to <= t) {
      const { from } = breaks[span];
      if (at > 0 && from >= points.t[at - 1]) {
        made.t.push(Math.min(Math.max(from, points.t[at - 1] + 1), t));
        made.v.push(null);
      }
      span += 1;
    }
    made.t.push(t);
    made.v.push(points.v[at]);
  });
  return made;
}

/** @typedef {{t: number[], v: number[]}} Points */

/**
 * @param {Columns | undefined} performance
 * @returns {Map<string, Points>}
 */
function collect(performance) {
  /** @type {Map<string, Points>} */
  const found = new Map();
  performance?.t.forEach((t, at) => {
    const name = String(performance.name[at]);
    const points = found.get(name) ?? { t: [], v: [] };
    if (!found.has(name)) found.set(name, points);
    points.t.push(t);
    points.v.push(Number(performance.value[at]));
  });
  return found;
}

/**
 * @param {string} name
 * @param {string} platform
 * @param {Points} points
 * @returns {Series}
 */
function oneSeries(name, platform, points) {
  const gauge = gaugeOf(name, platform);
  if (!gauge)
    return { name, title: name, unit: "", note: "unit unknown, as sent", shape: "curve", states: {}, ...points };
  const bytes = gauge.unit === "bytes";
  const shape = gauge.unit === "event" ? "moments" : gauge.unit === "state" || STEPS.has(name) ? "steps" : "curve";
  return {
    name,
    title: gauge.title,
    unit: bytes ? "MiB" : ["state", "event", "count"].includes(gauge.unit) ? "" : gauge.unit,
    note: shape === "curve" ? noteOf(gauge) : "",
    shape,
    states: gauge.states,
    t: points.t,
    v: bytes ? points.v.map((value) => value / MIB) : points.v,
  };
}

/**
 * What a viewer should know of a gauge beyond its title and unit.
 * @param {import("../schema.js").Gauge} gauge
 */
function noteOf({ title, unit, meaning }) {
  if (unit === "bytes" || unit === "MiB") return `sent in ${unit}`;
  return meaning.startsWith(title.toLowerCase()) ? "" : meaning;
}

/**
 * @param {string} name
 * @param {string} platform
 */
function gaugeOf(name, platform) {
  return Object.hasOwn(GAUGES, name) ? GAUGES[name][platform === "android" ? "android" : "ios"] : undefined;
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(Math.abs(value) < 100 ? 1 : 0));
}
