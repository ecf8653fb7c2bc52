/**
 * Starts the app. The page of a session comes with the picture that it opens with (still.html): this is shown first,
 * where the stage will be, and the app, which has a hundred times as much to do, is started once it has been seen.
 *
 * @import { Size } from "./replay/geometry.js"
 */

import { wear } from "./replay/device_frame.js";
import { fit, kindOf } from "./replay/geometry.js";
import { isAbsurd } from "./replay/picture_size.js";
import { sideWidth } from "./replay/side_width.js";

/** A picture that takes longer is not waited for; nor is one of a tab that nobody looks at. */
const PATIENCE_MS = 500;

/** @param {HTMLElement} still */
async function show(still) {
  const [view, device, picture] = [".stage-view", ".device", "img"].map((name) => still.querySelector(name));
  if (!(view && device instanceof HTMLElement && picture instanceof HTMLImageElement)) return;
  still.style.setProperty("--side", `${sideWidth()}px`);
  const size = await sizeOf(picture);
  if (!size || isAbsurd(size)) return;
  await picture.decode();
  if (!still.isConnected) return; // too late: the app has drawn the page
  const kind = kindOf(size, "");
  wear(device, kind, fit(size, kind, { width: view.clientWidth, height: view.clientHeight }));
  device.hidden = false;
  await new Promise(requestAnimationFrame);
  if (!still.isConnected) return;
  performance.mark("playhead:first-frame");
  await after(0);
}

/** @param {HTMLImageElement} picture @returns {Promise<Size | null>} null: there is none, or it cannot be had */
async function sizeOf(picture) {
  if (!picture.complete) {
    await new Promise((done) => {
      picture.onload = picture.onerror = done;
    });
  }
  const { naturalWidth, naturalHeight } = picture;
  return naturalWidth > 0 ? { width: naturalWidth, height: naturalHeight } : null;
}

/** @param {number} wait_ms */
function after(wait_ms) {
  return new Promise((done) => setTimeout(done, wait_ms));
}

async function start() {
  const still = document.querySelector(".still");
  if (still instanceof HTMLElement) await Promise.race([show(still).catch(() => {}), after(PATIENCE_MS)]);
  await import("./app.js");
}

start();
