/**
 * Drives the clock from the screen's frames and tells what became of it.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 */

import { STOPPED, follow, grown, pictureFrom, issueFrom, seek, tick, toggle } from "./clock.js";

/**
 * @typedef {object} Playback
 * @property {Clock} clock as it is now
 * @property {(replay: Replay) => void} show another session, or a newer state of this one
 * @property {(position_ms: number) => void} seek
 * @property {() => void} toggle
 * @property {() => void} pause
 * @property {() => void} follow
 * @property {(patch: Partial<Pick<Clock, "speed" | "skip">>) => void} set
 * @property {(way: 1 | -1) => void} step to the next or previous picture, paused
 * @property {(way: 1 | -1) => boolean} issue to the next or previous issue; false: there is none
 * @property {() => void} close
 */

/**
 * @param {Replay} replay
 * @param {(clock: Clock, seeked: boolean) => void} changed called once per change, and per screen frame while playing
 * @param {number} [begin_ms] where it stands first
 * @param {{frame: (callback: (now: number) => void) => number, cancel: (id: number) => void}} [screen]
 * @returns {Playback}
 */
export function createPlayback(replay, changed, begin_ms = 0, screen = browserScreen()) {
  let clock = seek(STOPPED, replay, begin_ms);
  /** @type {number | null} */
  let waiting = null;

  /** @param {number} now */
  function onFrame(now) {
    waiting = null;
    const before = clock;
    clock = tick(clock, replay, now);
    if (clock !== before) changed(clock, clock.skipped !== null);
    ask();
  }

  function ask() {
    if (clock.playing && waiting === null) waiting = screen.frame(onFrame);
  }

  /** @param {Clock} next */
  function become(next, seeked = false) {
    if (next === clock) return;
    clock = next;
    changed(clock, seeked);
    ask();
  }

  return {
    get clock() {
      return clock;
    },
    show(newer) {
      replay = newer;
      become(grown(clock, replay));
    },
    seek: (position_ms) => become(seek(clock, replay, position_ms), true),
    toggle: () => become(toggle(clock, replay), true),
    pause() {
      if (clock.playing) become(toggle(clock, replay));
    },
    follow: () => become(follow(clock, replay), true),
    set: (patch) => become({ ...clock, ...patch, follow: clock.follow && patch.speed === undefined }),
    step(way) {
      const paused = clock.playing ? toggle(clock, replay) : clock;
      become(seek(paused, replay, pictureFrom(replay, paused.position_ms, way)), true);
    },
    issue(way) {
      const found = issueFrom(replay, clock.position_ms, way);
      if (found) become(seek(clock, replay, found.t), true);
      return Boolean(found);
    },
    close() {
      if (waiting !== null) screen.cancel(waiting);
      clock = { ...clock, playing: false };
      waiting = null;
    },
  };
}

function browserScreen() {
  return {
    frame: (/** @type {(now: number) => void} */ callback) => requestAnimationFrame(callback),
    cancel: (/** @type {number} */ id) => cancelAnimationFrame(id),
  };
}
