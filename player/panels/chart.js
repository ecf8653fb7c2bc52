// One measured series as a chart: in step with the playhead, a click seeks, all charts share their cursor.

import { clock, shortCount } from "../draw/format.js";
import uPlot from "../vendor/uplot/uPlot.js";
import { broken, downsample, valueText } from "./series.js";

/** @typedef {import("./series.js").Series} Series */
/**
 * @typedef {object} ChartOptions
 * @property {Series} series
 * @property {number} duration_ms
 * @property {{from: number, to: number}[]} background  shaded
 * @property {{from: number, to: number}[]} breaks  by time; no curve is drawn across them
 * @property {string} color  a custom property of the page
 * @property {number} position_ms
 * @property {(ms: number) => void} seek
 * @property {(series: Series, at_ms: number | null) => void} hover
 */

const HEIGHT = 112;
/** of a chart of states or moments: the time below, and each lane */
const TIME_PX = 34;
const LANE_PX = 20;
const AXIS_PX = 86;
const AXIS_CHARS = 14;
const FEW_POINTS = 80;

class SeriesChart extends HTMLElement {
  /** @type {ChartOptions | undefined} */
  #options;
  /** @type {uPlot | undefined} */
  #plot;
  #playhead = document.createElement("i");
  #resized = new ResizeObserver(() => this.#resize());
  #themed = new MutationObserver(() => this.#plot?.redraw());

  connectedCallback() {
    this.#playhead.className = "chart-playhead";
    this.#resized.observe(this);
    this.#themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    this.#themed.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** @param {ChartOptions} options */
  set options(options) {
    const before = this.#options;
    this.#options = options;
    const same = before?.series === options.series && before?.duration_ms === options.duration_ms;
    if (!same) this.#rebuild();
    this.#movePlayhead();
  }

  #resize() {
    const width = Math.floor(this.clientWidth);
    if (width === 0 || width === this.#plot?.width) return;
    if (this.#plot) {
      this.#plot.setSize({ width, height: this.#plot.height });
      this.#plot.setData(this.#data(width), true);
    } else this.#rebuild();
    this.#movePlayhead();
  }

  #rebuild() {
    const width = Math.floor(this.clientWidth);
    if (width === 0 || !this.#options) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(plotOptions(this, this.#options, width), this.#data(width), this);
    this.#plot.over.append(this.#playhead);
    this.#plot.over.addEventListener("click", (event) => this.#seek(event.offsetX));
  }

  /**
   * @param {number} width
   * @returns {uPlot.AlignedData}
   */
  #data(width) {
    const { series, duration_ms, breaks } = /** @type {ChartOptions} */ (this.#options);
    const drawn = downsample(series.t, series.v, { from: 0, to: duration_ms, pixels: Math.max(1, width - AXIS_PX) });
    if (series.shape === "curve") {
      const { t, v } = broken(drawn, breaks);
      return [t, v];
    }
    if (series.shape === "moments") return [drawn.t, drawn.t.map(() => 1)];
    const lanes = lanesOf(series);
    const v = lanes.length > 0 ? drawn.v.map((value) => lanes.indexOf(value)) : drawn.v;
    return [
      [...drawn.t, duration_ms],
      [...v, v[v.length - 1]],
    ];
  }

  /** @param {number} px */
  #seek(px) {
    const at_ms = this.#plot?.posToVal(px, "x") ?? 0;
    this.#options?.seek(Math.min(Math.max(0, at_ms), this.#options.duration_ms));
  }

  #movePlayhead() {
    if (!this.#plot || !this.#options) return;
    const { position_ms, duration_ms } = this.#options;
    const share = duration_ms > 0 ? Math.min(Math.max(0, position_ms / duration_ms), 1) : 0;
    this.#playhead.style.transform = `translateX(${share * this.#plot.over.clientWidth}px)`;
  }
}

customElements.define("series-chart", SeriesChart);

/**
 * @param {HTMLElement} host
 * @param {ChartOptions} options
 * @param {number} width
 * @returns {uPlot.Options}
 */
function plotOptions(host, { series, duration_ms, background, color, hover }, width) {
  const css = (/** @type {string} */ name) => getComputedStyle(host).getPropertyValue(name).trim();
  const moments = series.shape === "moments";
  const lanes = lanesOf(series);
  const grid = { stroke: () => css("--line"), width: 1 };
  const font = `11px ${css("--font") || "sans-serif"}`;
  return {
    width,
    height: lanes.length > 0 || moments ? TIME_PX + LANE_PX * Math.max(1, lanes.length) : HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      sync: { key: "performance", scales: ["x", null] },
      points: { show: !moments },
    },
    scales: {
      x: { time: false, range: [0, Math.max(duration_ms, 1)] },
      y: { range: (_, least, most) => (lanes.length > 0 ? [-0.5, lanes.length - 0.5] : rangeOf(series, least, most)) },
    },
    axes: [
      {
        stroke: () => css("--text-2"),
        font,
        size: 24,
        gap: 3,
        space: 64,
        grid,
        ticks: { ...grid, size: 4 },
        incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((seconds) => seconds * 1000),
        values: (_, splits) => splits.map((ms) => clock(ms)),
      },
      {
        stroke: () => css("--text-2"),
        font,
        size: AXIS_PX,
        gap: 4,
        space: 26,
        grid: moments ? { show: false } : grid,
        ticks: { show: false },
        splits: moments || lanes.length > 0 ? lanes.map((_, lane) => lane) : undefined,
        values: (_, splits) => splits.map((value) => axisText(series, lanes[value] ?? value)),
      },
    ],
    series: [{}, lineOf(series, () => css(color))],
    hooks: {
      drawClear: [(plot) => shade(plot, background, css("--surface-2"))],
      setCursor: [
        (plot) => hover(series, (plot.cursor.left ?? -1) < 0 ? null : plot.posToVal(plot.cursor.left ?? 0, "x")),
      ],
    },
  };
}

/**
 * @param {Series} series
 * @param {() => string} color
 * @returns {uPlot.Series}
 */
function lineOf(series, color) {
  const points = { show: series.t.length <= FEW_POINTS, size: 4, fill: color };
  if (series.shape === "moments") {
    return { stroke: color, width: 2, points: { show: false }, paths: uPlot.paths.bars?.({ size: [0.01, 2, 2] }) };
  }
  const steps = series.shape === "steps" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return { stroke: color, width: 1.5, points: steps ? { show: false } : points, paths: steps, spanGaps: false };
}

/**
 * @param {uPlot} plot
 * @param {{from: number, to: number}[]} spans
 * @param {string} color
 */
function shade(plot, spans, color) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = color;
  for (const { from, to } of spans) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/**
 * Percentages from 0 to 100, all else from 0 (or below) with some room.
 * @param {Series} series
 * @param {number} least
 * @param {number} most
 * @returns {[number, number]}
 */
function rangeOf(series, least, most) {
  if (series.shape === "moments") return [0, 1];
  if (series.unit === "%" && least >= 0 && most <= 100) return [0, 100];
  return [Math.min(0, least), most > 0 ? most * 1.1 : 1];
}

/**
 * The states that occurred, each of which has a lane; empty for what is no state.
 * @param {Series} series
 */
function lanesOf({ states, v }) {
  return Object.keys(states).length > 0 ? [...new Set(v)].sort((a, b) => a - b) : [];
}

/**
 * @param {Series} series
 * @param {number} value
 */
function axisText(series, value) {
  if (series.states[value] === undefined) return series.unit === "%" ? `${value} %` : shortCount(value);
  const text = valueText(series, value);
  return text.length > AXIS_CHARS ? `${text.slice(0, AXIS_CHARS - 1)}\u2026` : text;
}
