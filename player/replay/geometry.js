/**
 * Shapes: the phone's screen, how it is held, where it fits on the page, and where a touch lies in a picture. Pure.
 *
 * @import { Columns, Replay } from "./data.js"
 */

import { lastAt } from "./search.js";

/** @typedef {{width: number, height: number}} Size */
/** @typedef {"phone" | "tablet" | "watch"} Kind */

/**
 * The phone as drawn: outer size, bezel and corner radii in CSS px.
 * @typedef {{width: number, height: number, bezel: number, radius: number, inner_radius: number}} Device
 */

/** When nothing is known of the screen. */
const USUAL = { width: 390, height: 844 };
/** Pixels of a picture per point on iOS, see spec of the SDK's screenshots. */
const IOS_SCALE = 1.25;
const LANDSCAPE = new Set([3, 4]);
const UPRIGHT = new Set([0, 1, 2]);

/** When the phone was turned, by its own word. @typedef {{t: number[], sideways: boolean[]}} Turns */

/**
 * Lying flat says nothing: what was said before holds.
 * @param {Record<string, Columns>} tracks
 * @returns {Turns}
 */
export function turnsOf(tracks) {
  const { t = [], name = [], value = [] } = tracks.performance ?? {};
  /** @type {Turns} */
  const turns = { t: [], sideways: [] };
  for (let k = 0; k < t.length; k++) {
    if (name[k] !== "orientation" || !(LANDSCAPE.has(value[k]) || UPRIGHT.has(value[k]))) continue;
    turns.t.push(t[k]);
    turns.sideways.push(LANDSCAPE.has(value[k]));
  }
  return turns;
}

/**
 * Whether the phone is held sideways at a moment; null if it had not said yet.
 * @param {Turns} turns
 * @param {number} position_ms
 */
export function heldSideways(turns, position_ms) {
  return turns.sideways[lastAt(turns.t, position_ms)] ?? null;
}

/**
 * The size of the screen in the unit of touches, as it is held: by the picture, else by what the phone says.
 * @param {Replay} replay
 * @param {Size | null} picture
 * @param {boolean | null} sideways
 * @returns {Size}
 */
export function screenOf(replay, picture, sideways) {
  const told = replay.meta.device ?? {};
  const known = told.width > 0 && told.height > 0;
  const size = known ? { width: told.width, height: told.height } : null;
  if (picture && !size) return { width: picture.width, height: picture.height };
  const screen = size ?? USUAL;
  const turned = picture ? isWide(picture) !== isWide(screen) : sideways !== null && sideways !== isWide(screen);
  return turned && screen.width !== screen.height ? { width: screen.height, height: screen.width } : screen;
}

/**
 * Pixels of the picture per unit of touches. Both SDKs send touches in the window's coordinates: points on iOS, pixels
 * on Android; pictures are scaled evenly. Bars of the system may be missing on the long side, so the short one counts.
 * @param {Replay} replay
 * @param {Size} picture
 */
export function touchScale(replay, picture) {
  const { width = 0, height = 0 } = replay.meta.device ?? {};
  const short = Math.min(width, height);
  const ios = replay.meta.platform === "ios";
  if (!(short > 0)) return ios ? IOS_SCALE : 1;
  const scale = Math.min(picture.width, picture.height) / short;
  // part of an iPad's screen: the window is smaller than the device
  const same = Math.abs(ratio(picture) - ratio({ width, height })) < 0.05;
  return ios && !same ? IOS_SCALE : scale;
}

/**
 * What kind of device it looks like.
 * @param {Size} screen in points or pixels
 * @param {string} told its type as the server knows it
 * @returns {Kind}
 */
export function kindOf(screen, told) {
  const slimness = ratio(screen);
  if (slimness < 1.3 && Math.min(screen.width, screen.height) <= 500 && told !== "tablet") return "watch";
  if (told === "tablet" || told === "mobile") return told === "tablet" ? "tablet" : "phone";
  return slimness < 1.55 ? "tablet" : "phone";
}

/**
 * The largest device with this screen that fits into a box.
 * @param {Size} screen any unit: its shape counts
 * @param {Kind} kind
 * @param {Size} box CSS px
 * @returns {Device}
 */
export function fit(screen, kind, box) {
  const rim = { phone: 0.032, tablet: 0.035, watch: 0.075 }[kind];
  const corner = { phone: 0.125, tablet: 0.04, watch: 0.28 }[kind];
  const share = 2 * rim * Math.min(screen.width, screen.height);
  const outer = Math.min(box.width / (screen.width + share), box.height / (screen.height + share));
  const bezel = Math.max(Math.round((outer * share) / 2), 4);
  const scale = Math.max(Math.min((box.width - 2 * bezel) / screen.width, (box.height - 2 * bezel) / screen.height), 0);
  const radius = Math.round(scale * Math.min(screen.width, screen.height) * corner);
  return {
    width: Math.max(Math.round(scale * screen.width), 1) + 2 * bezel,
    height: Math.max(Math.round(scale * screen.height), 1) + 2 * bezel,
    bezel,
    radius: radius + bezel,
    inner_radius: radius,
  };
}

/** @param {Size} size */
export function isWide({ width, height }) {
  return width > height;
}

/** @param {Size} size long side per short side */
function ratio({ width, height }) {
  return Math.max(width, height) / Math.max(Math.min(width, height), 1);
}
