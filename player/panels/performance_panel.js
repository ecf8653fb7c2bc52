// Measured values as charts that share their time, with the figures in a table.

import "./chart.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { plural, preciseClock } from "../draw/format.js";
import { styled } from "../draw/styled.js";
import { facts } from "./detail.js";
import { perObject } from "./memo.js";
import { oneLine } from "./safe_text.js";
import { factsOf, seriesOf, summaryOf, valueAt, valueText } from "./series.js";

/** @typedef {import("./panel_types.js").PanelView} PanelView */
/** @typedef {import("./panel_types.js").Replay} Replay */
/** @typedef {import("./series.js").Series} Series */

/** @type {Record<string, string>} */
const COLORS = {
  mainThreadCPU: "--c-tap",
  memoryUsage: "--c-input",
  fps: "--c-network",
  batteryLevel: "--c-swipe",
  thermalState: "--c-error",
  memoryWarning: "--c-crash",
  lowDiskSpace: "--c-crash",
};
const OTHER = "--c-view";

const measured = perObject((/** @type {Replay} */ { tracks, meta }) => ({
  series: seriesOf(tracks.performance, meta.platform),
  facts: factsOf(tracks.performance, meta.platform),
}));

/** When nothing was measured: the app was in the background, or nothing of this time was received. */
const unmeasured = perObject((/** @type {Replay} */ { background, gaps }) =>
  [...background, ...gaps.filter(({ kind }) => kind === "all")].sort((a, b) => a.from - b.from),
);

/** @type {import("./panel_types.js").Panel} */
export const performancePanel = {
  id: "performance",
  title: "Performance",
  count: () => null,
  draw: (view) => {
    const { series, facts: told } = measured(view.replay);
    if (series.length === 0) {
      return html`<div class="panel-view">
        <p class="panel-empty">No measurements were received for this session.</p>
      </div>`;
    }
    return html`<div class="panel-view panel-scroll">
      ${
        view.replay.background.length > 0
          ? html`<p class="hint chart-hint">
              <i class="shade-sample"></i> in the background: trackers measure nothing then
            </p>`
          : nothing
      }
      ${series.map((each) => chart(view, each))} ${figures(view, series)}
      ${
        told.length > 0
          ? html`<h3>Told once</h3>
              ${facts(told)}`
          : nothing
      }
    </div>`;
  },
};

/**
 * The value under the cursor, which all charts share, else at the playhead.
 * @param {PanelView} view
 * @param {Series} series
 */
function chart(view, series) {
  const { replay, position_ms, seek, state, set } = view;
  const hovered = /** @type {number | null} */ (state.hover ?? null);
  const at_ms = hovered ?? position_ms;
  const color = COLORS[series.name] ?? OTHER;
  const options = {
    series,
    duration_ms: replay.duration_ms,
    background: replay.background,
    breaks: unmeasured(replay),
    color,
    position_ms,
    seek,
    hover: (/** @type {Series} */ _, /** @type {number | null} */ at) => set({ hover: at }),
  };
  return html`<figure class="chart" ${styled({ "--chart": `var(${color})` })}>
    <figcaption>
      <strong>${oneLine(series.title, 60)}</strong>
      <span class="muted">${oneLine(series.note, 60)}</span>
      <span class="chart-now numbers">
        ${series.shape === "moments" ? plural(series.t.length, "time") : valueText(series, valueAt(series, at_ms))}
        <span class="muted">${hovered === null ? "" : `at ${preciseClock(hovered)}`}</span>
      </span>
    </figcaption>
    <series-chart role="img" aria-label=${spoken(series)} .options=${options}></series-chart>
  </figure>`;
}

/** @param {Series} series */
function spoken(series) {
  if (series.shape === "moments") return `${series.title}: ${plural(series.t.length, "time")}`;
  const { least, most, count } = summaryOf(series);
  return `${series.title}: ${plural(count, "sample")} from ${valueText(series, least)} to ${valueText(series, most)}`;
}

/**
 * @param {PanelView} view
 * @param {Series[]} series
 */
function figures(view, series) {
  return html`<div class="table-wrap" tabindex="0" role="region" aria-label="Figures">
    <table class="figures numbers">
      <caption>
        Figures
      </caption>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col">At the playhead</th>
          <th scope="col">Least</th>
          <th scope="col">Mean</th>
          <th scope="col">Most</th>
          <th scope="col">Samples</th>
        </tr>
      </thead>
      <tbody>
        ${series.map((each) => figureRow(view, each))}
      </tbody>
    </table>
  </div>`;
}

/**
 * @param {PanelView} view
 * @param {Series} series
 */
function figureRow(view, series) {
  const { count, least, mean, most } = summaryOf(series);
  const ordered = series.shape !== "moments" && Object.keys(series.states).length === 0;
  const cells = ordered ? [least, mean, most].map((value) => valueText(series, value)) : ["", "", ""];
  return html`<tr>
    <th scope="row">${oneLine(series.title, 60)}</th>
    <td>${series.shape === "moments" ? "" : valueText(series, valueAt(series, view.position_ms))}</td>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
    <td>${count}</td>
  </tr>`;
}
