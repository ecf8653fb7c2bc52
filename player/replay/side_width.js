/**
 * How wide the panels are: as the viewer set it, else by the window.
 */

import { recall, remember } from "./remembered.js";

export const LEAST_PX = 300;

export function sideWidth() {
  return Number(recall("side", "")) || Math.min(Math.max(innerWidth * 0.38, 420), 800);
}

/** @param {number} width_px what is asked for @returns {number} what it is then */
export function keepSideWidth(width_px) {
  const side_px = Math.round(Math.min(Math.max(width_px, LEAST_PX), innerWidth * 0.7));
  remember("side", side_px);
  return side_px;
}
