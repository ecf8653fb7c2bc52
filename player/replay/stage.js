/**
 * The stage: the phone with what it showed at a moment, touches, and words where there is nothing to show.
 * It is painted from (replay, clock, pictures) alone; the page tells it when one of them changed.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 * @import { Kind, Size, Turns } from "./geometry.js"
 * @import { Pictures, Shown } from "./pictures.js"
 */

import { icon } from "../draw/icons.js";
import { oneLine } from "../panels/safe_text.js";
import { touchLabel } from "../panels/touch_label.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { ref } from "../vendor/lit-html/directives/ref.js";
import { wear } from "./device_frame.js";
import { fit, heldSideways, isWide, kindOf, screenOf, touchScale, turnsOf } from "./geometry.js";
import { wordsAt } from "./stage_words.js";
import { drawSwipes, drawTaps } from "./touch_marks.js";
import { swipesAt, tapsAt, typedAt } from "./touches.js";

/** Pictures have their own light and dark: touches are drawn in the same colours on all of them. */
const COLOURS = { tap: "rgb(46 108 255)", swipe: "rgb(0 170 185)" };
const MASKED = "\u2022".repeat(8);

/** @typedef {{replay: Replay, clock: Clock, pictures: Pictures}} Scene */
/** @typedef {ImageBitmap | HTMLImageElement} Picture */

/** @param {() => void} painted the first real picture is on the screen */
export function createStage(painted) {
  /** @type {Scene | null} */
  let scene = null;
  /** @type {Picture | null} what is shown until there is a scene */
  let opening = null;
  /** @type {Turns} */
  let turns = { t: [], sideways: [] };
  /** @type {Size} */
  let box = { width: 0, height: 0 };
  /** @type {Size | null} of the picture painted last */
  let seen = null;
  let first = true;
  /** @type {{view: HTMLElement, device: HTMLElement, canvas: HTMLCanvasElement, veil: HTMLElement, caption: HTMLElement} | null} */
  let parts = null;
  const said = { veil: "", caption: "", shape: "" };
  const sizes = new ResizeObserver(([entry]) => {
    box = { width: entry.contentRect.width, height: entry.contentRect.height };
    paint();
  });

  /** @param {Element | undefined} host */
  function mount(host) {
    sizes.disconnect();
    parts = null;
    if (!(host instanceof HTMLElement)) return;
    render(
      html`<div class="stage-view">
          <div class="device">
            <canvas class="screen" role="img" aria-label="Screen of the device"></canvas>
            <div class="veil"></div>
            <span class="stage-wait"><span class="spinner"></span>Loading picture</span>
          </div>
        </div>
        <p class="caption"></p>`,
      host,
    );
    const find = (/** @type {string} */ name) => /** @type {any} */ (host.querySelector(name));
    parts = {
      view: find(".stage-view"),
      device: find(".device"),
      canvas: find("canvas"),
      veil: find(".veil"),
      caption: find(".caption"),
    };
    Object.assign(said, { veil: "", caption: "", shape: "" });
    box = { width: parts.view.clientWidth, height: parts.view.clientHeight };
    sizes.observe(parts.view);
    paint();
  }

  function paint() {
    if (!parts || box.width <= 0 || box.height <= 0) return;
    if (!scene) return paintOpening();
    const { replay, clock, pictures } = scene;
    const shown = pictures.at(clock.position_ms);
    if (shown.bitmap) seen = { width: shown.bitmap.width, height: shown.bitmap.height };
    const shape = shapeNow(replay, clock.position_ms, shown);
    resize(shape, kindOf(screenOf(replay, shape, null), replay.meta.device?.type ?? ""));
    drawScreen(shape, shown);
    parts.device.toggleAttribute("data-waiting", shown.place >= 0 && !shown.exact && !shown.failed);
    sayOver(shown);
    sayTyped();
    if (shown.exact) tellFirst();
  }

  function paintOpening() {
    if (!opening) return;
    seen = { width: opening.width, height: opening.height };
    resize(seen, kindOf(seen, ""));
    drawPicture(opening);
    tellFirst();
  }

  function tellFirst() {
    if (first) painted();
    first = false;
  }

  /**
   * The screen's shape: that of the picture, or of the last one turned as the phone says.
   * @param {Replay} replay
   * @param {number} position_ms
   * @param {Shown} shown
   * @returns {Size}
   */
  function shapeNow(replay, position_ms, shown) {
    if (shown.bitmap) return { width: shown.bitmap.width, height: shown.bitmap.height };
    const sideways = heldSideways(turns, position_ms);
    if (!seen) return screenOf(replay, null, sideways);
    return sideways !== null && sideways !== isWide(seen) ? { width: seen.height, height: seen.width } : seen;
  }

  /** @param {Size} shape @param {Kind} kind */
  function resize(shape, kind) {
    if (!parts) return;
    const device = fit(shape, kind, box);
    const key = `${kind} ${JSON.stringify(device)} ${devicePixelRatio}`;
    if (key === said.shape) return;
    said.shape = key;
    wear(parts.device, kind, device);
    parts.canvas.width = Math.round((device.width - 2 * device.bezel) * devicePixelRatio);
    parts.canvas.height = Math.round((device.height - 2 * device.bezel) * devicePixelRatio);
  }

  /** @param {Picture | null} bitmap @returns {CanvasRenderingContext2D | null | undefined} what was drawn with */
  function drawPicture(bitmap) {
    const pen = parts?.canvas.getContext("2d", { alpha: false });
    if (!pen) return pen;
    const { width, height } = pen.canvas;
    if (bitmap) {
      pen.imageSmoothingQuality = "high";
      pen.drawImage(bitmap, 0, 0, width, height);
    } else {
      pen.fillStyle = "rgb(58 66 80)";
      pen.fillRect(0, 0, width, height);
    }
    return pen;
  }

  /** @param {Size} shape @param {Shown} shown */
  function drawScreen(shape, { bitmap }) {
    const pen = drawPicture(bitmap);
    if (!pen || !scene) return;
    const { width, height } = pen.canvas;
    const { replay, clock } = scene;
    const unit = bitmap
      ? (touchScale(replay, shape) * width) / shape.width
      : width / screenOf(replay, null, isWide(shape)).width;
    const place = (/** @type {number} */ x, /** @type {number} */ y) => /** @type {[number, number]} */ ([x * unit, y * unit]);
    const short = Math.min(width, height);
    drawSwipes(pen, swipesAt(replay, clock), place, short, COLOURS);
    drawTaps(pen, tapsAt(replay, clock), place, short, COLOURS);
  }

  /** @param {Shown} shown */
  function sayOver(shown) {
    if (!parts || !scene) return;
    const words = wordsAt(scene.replay, scene.clock.position_ms, shown);
    const key = JSON.stringify(words);
    if (key === said.veil) return;
    said.veil = key;
    parts.veil.dataset.kind = words?.kind ?? "none";
    render(words ? html`<strong>${words.title}</strong><span>${words.detail}</span>` : nothing, parts.veil);
  }

  function sayTyped() {
    if (!parts || !scene) return;
    const typed = typedAt(scene.replay, scene.clock);
    const key = JSON.stringify(typed);
    if (key === said.caption) return;
    said.caption = key;
    const text = typed && (typed.masked ? MASKED : oneLine(typed.text));
    render(
      typed
        ? html`<span class="typed" dir="auto">${icon("input")}<span class="typed-into">${oneLine(touchLabel(typed.label).title, 60) || "Text"}</span>
            <span class="typed-text">${text || "emptied"}</span>
            ${typed.masked ? html`<span class="typed-note">masked by the app</span>` : nothing}</span>`
        : nothing,
      parts.caption,
    );
  }

  return {
    draw: () => html`<section class="stage" aria-label="Screen" ${ref(mount)}></section>`,
    /** Before there is a scene. @param {Picture} picture */
    open(picture) {
      opening = picture;
      paint();
    },
    /** @param {Scene} next */
    show(next) {
      opening = null;
      if (scene?.replay !== next.replay) turns = turnsOf(next.replay.tracks);
      scene = next;
      paint();
    },
    close() {
      sizes.disconnect();
      parts = null;
      scene = null;
      opening = null;
    },
  };
}
