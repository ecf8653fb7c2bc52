/**
 * The card over the timeline: the picture of a moment, its time, what happened there.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 * @import { Lane } from "./lanes.js"
 * @import { Pictures } from "./pictures.js"
 */

import { clock as clockText } from "../draw/format.js";
import { styled } from "../draw/styled.js";
import { oneLine } from "../panels/safe_text.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { fit, kindOf, screenOf } from "./geometry.js";
import { marksNear } from "./lanes.js";
import { stretchAt } from "./stretches.js";
import { wordsAt } from "./stage_words.js";

/**
 * @typedef {object} Hovered
 * @property {Replay} replay
 * @property {Clock} clock
 * @property {Pictures} pictures
 * @property {Lane[]} lanes
 * @property {{from: number, to: number, screen: string}[]} visits
 * @property {boolean} pictured while scrubbing the stage itself shows the moment
 * @property {number} t
 * @property {number} reach_ms how far from the pointer a mark counts
 * @property {number} x px from the left of the bar
 */

const BOX = { width: 150, height: 168 };
const MARKS = 3;

export function createHoverCard() {
  /** @type {HTMLElement | null} */
  let host = null;

  /** @param {Hovered} hovered */
  function show(hovered) {
    if (!host) return;
    host.hidden = false;
    render(content(hovered), host);
    paint(hovered);
    const room = host.parentElement?.clientWidth ?? 0;
    const left = Math.min(Math.max(hovered.x - host.offsetWidth / 2, 0), Math.max(room - host.offsetWidth, 0));
    host.style.transform = `translateX(${left}px)`;
  }

  /** @param {Hovered} hovered */
  function paint({ replay, pictures, pictured, t }) {
    const canvas = host?.querySelector("canvas");
    const bitmap = pictured ? pictures.smallAt(t).bitmap : null;
    if (!canvas) return;
    canvas.hidden = !bitmap;
    if (!bitmap) return;
    const size = fit(bitmap, kindOf(screenOf(replay, bitmap, null), ""), BOX);
    canvas.width = Math.round(size.width * devicePixelRatio);
    canvas.height = Math.round(size.height * devicePixelRatio);
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
    canvas.getContext("2d", { alpha: false })?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }

  return {
    draw: () =>
      html`<div
        class="timeline-card"
        aria-hidden="true"
        hidden
        ${ref((element) => (host = element instanceof HTMLElement ? element : null))}
      ></div>`,
    show,
    hide() {
      if (host) host.hidden = true;
    },
  };
}

/** @param {Hovered} hovered */
function content({ replay, lanes, visits, t, reach_ms, pictures }) {
  const words = wordsAt(replay, t, { ...pictures.smallAt(t), failed: null });
  const screen = stretchAt(visits, t)?.screen;
  return html`<canvas class="timeline-picture" hidden></canvas>
    <strong class="numbers">${clockText(t)}</strong>
    ${screen ? html`<span class="muted ellipsis">${oneLine(screen, 60)}</span>` : nothing}
    ${words && words.kind !== "crash" ? html`<span class="timeline-words">${words.title}</span>` : nothing}
    ${marksNear(lanes, t, reach_ms, MARKS).map(
      ({ text, colour }) => html`<span class="timeline-mark" ${styled({ "--mark": `var(${colour})` })}>${oneLine(text, 70)}</span>`,
    )}`;
}
