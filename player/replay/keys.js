/**
 * The keys of the replay page: one table for what they do and for the help that lists them.
 *
 * @import { Shortcut } from "../types.js"
 */

import { isTyping } from "../draw/keyboard.js";
import { otherSpeed } from "./clock.js";

/**
 * What keys can do; the page gives it.
 * @typedef {object} Deeds
 * @property {() => void} toggle
 * @property {(by_ms: number) => void} move
 * @property {(share: number) => void} jump to a share of the session, 0 … 1
 * @property {(way: 1 | -1) => void} step
 * @property {(way: 1 | -1) => void} issue
 * @property {(speed: (now: number) => number) => void} speed
 * @property {() => void} skip
 * @property {() => void} fullscreen
 * @property {() => void} copyLink
 * @property {() => void} follow
 * @property {(way: 1 | -1) => void} panel
 * @property {() => void} search
 */

/** @typedef {{keys: string[], shown: string, meaning: string, run: (deeds: Deeds, key: string) => void}} Key */

const STEP_MS = 5_000;
const LEAP_MS = 30_000;

/** @type {Key[]} */
export const KEYS = [
  { keys: [" ", "k"], shown: "Space k", meaning: "Play or pause", run: (deeds) => deeds.toggle() },
  { keys: ["ArrowLeft"], shown: "\u2190", meaning: "5 seconds back", run: (deeds) => deeds.move(-STEP_MS) },
  { keys: ["ArrowRight"], shown: "\u2192", meaning: "5 seconds on", run: (deeds) => deeds.move(STEP_MS) },
  { keys: ["Shift+ArrowLeft"], shown: "Shift+\u2190", meaning: "30 seconds back", run: (deeds) => deeds.move(-LEAP_MS) },
  { keys: ["Shift+ArrowRight"], shown: "Shift+\u2192", meaning: "30 seconds on", run: (deeds) => deeds.move(LEAP_MS) },
  { keys: [","], shown: ",", meaning: "Previous picture", run: (deeds) => deeds.step(-1) },
  { keys: ["."], shown: ".", meaning: "Next picture", run: (deeds) => deeds.step(1) },
  { keys: ["<"], shown: "<", meaning: "Slower", run: (deeds) => deeds.speed((now) => otherSpeed(now, -1)) },
  { keys: [">"], shown: ">", meaning: "Faster", run: (deeds) => deeds.speed((now) => otherSpeed(now, 1)) },
  { keys: ["i"], shown: "i", meaning: "Next issue", run: (deeds) => deeds.issue(1) },
  { keys: ["I"], shown: "Shift+i", meaning: "Previous issue", run: (deeds) => deeds.issue(-1) },
  { keys: ["s"], shown: "s", meaning: "Skip inactivity, on or off", run: (deeds) => deeds.skip() },
  { keys: ["l"], shown: "l", meaning: "To the newest data of a live session", run: (deeds) => deeds.follow() },
  { keys: ["f"], shown: "f", meaning: "Full screen, on or off", run: (deeds) => deeds.fullscreen() },
  { keys: ["c"], shown: "c", meaning: "Copy a link to this moment", run: (deeds) => deeds.copyLink() },
  { keys: ["["], shown: "[", meaning: "Previous panel", run: (deeds) => deeds.panel(-1) },
  { keys: ["]"], shown: "]", meaning: "Next panel", run: (deeds) => deeds.panel(1) },
  { keys: ["/"], shown: "/", meaning: "Search in the panel", run: (deeds) => deeds.search() },
  {
    keys: [..."0123456789"],
    shown: "0\u20139",
    meaning: "To 0 % \u2026 90 % of the session",
    run: (deeds, key) => deeds.jump(Number(key) / 10),
  },
  { keys: ["Home"], shown: "Home", meaning: "To the start", run: (deeds) => deeds.jump(0) },
  { keys: ["End"], shown: "End", meaning: "To the end", run: (deeds) => deeds.jump(1) },
];

/** @type {Shortcut[]} */
const WHEEL = [["Ctrl+wheel", "On the timeline: closer or further"]];

/** @type {Map<string, Key>} */
const BY_KEY = new Map(KEYS.flatMap((key) => key.keys.map((name) => [name, key])));

const MOVED_BY_ARROWS = "[role=tab], [role=slider], [role=separator], [role=grid], [role=listbox], [role=option], input";

/** Controls that take these keys for themselves when they have the focus. @type {Record<string, string>} */
const OWN = {
  " ": "button, a, summary, [role=tab], input",
  ArrowLeft: MOVED_BY_ARROWS,
  ArrowRight: MOVED_BY_ARROWS,
  Home: MOVED_BY_ARROWS,
  End: MOVED_BY_ARROWS,
};

/** @returns {Shortcut[]} */
export function shortcuts() {
  return [...KEYS.map(({ shown, meaning }) => /** @type {Shortcut} */ ([shown, meaning])), ...WHEEL];
}

/**
 * Does what a key means. Nothing while something is typed, a dialog is open, or the focused control wants the key.
 * @param {KeyboardEvent} event
 * @param {Deeds} deeds
 */
export function pressed(event, deeds) {
  if (event.defaultPrevented || isTyping(event) || document.querySelector("dialog[open]")) return;
  const name = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
  const key = BY_KEY.get(name);
  const own = OWN[event.key];
  const target = event.composedPath()[0];
  if (!key || (own && target instanceof Element && target.closest(own))) return;
  event.preventDefault();
  key.run(deeds, event.key);
}
