/**
 * What the stage says over the picture at a moment: why there is none, or why it is old. Pure.
 *
 * @import { Replay } from "./data.js"
 * @import { Reason } from "./picture_queue.js"
 */

import { clock, duration } from "../draw/format.js";
import { oneLine } from "../panels/safe_text.js";
import { lastAt } from "./search.js";
import { stretchAt } from "./stretches.js";

/**
 * `kind`: how much of the picture stays visible, see replay.css.
 * @typedef {{kind: "background" | "gap" | "empty" | "problem" | "crash" | "wait", title: string, detail: string}} Words
 */

const PROBLEMS = /** @type {Record<Reason, [string, string]>} */ ({
  damaged: ["This picture is damaged", "It cannot be decoded; the file is as the app sent it."],
  missing: ["This picture is not stored any more", "Reloading the page reads the session anew."],
  unreachable: ["This picture has not arrived", "The server cannot be reached. Trying again."],
  signed_out: ["Signed out", "Sign in again to see the pictures."],
});

/**
 * @param {Replay} replay
 * @param {number} t
 * @param {{place: number, failed: Reason | null}} shown
 * @returns {Words | null}
 */
export function wordsAt(replay, t, { place, failed }) {
  return (
    crash(replay, t) ??
    background(replay, t) ??
    gap(replay, t) ??
    problem(failed) ??
    noPicture(replay, place) ??
    pending(replay, t)
  );
}

/**
 * What the picture shows is over: nothing runs after a crash.
 * @param {Replay} replay
 * @param {number} t
 * @returns {Words | null}
 */
function crash({ tracks, background: away }, t) {
  const { t: times = [], name = [], reason = [] } = tracks.crashes ?? {};
  const last = lastAt(times, t);
  if (last < 0 || stretchAt(away, t) || goesOn(tracks, times[last], t)) return null;
  return { kind: "crash", title: "The app crashed", detail: oneLine([name[last], reason[last]].filter(Boolean).join(": ")) };
}

/**
 * Whether the user did something between a crash and a moment: the same session can hold the next launch.
 * @param {Replay["tracks"]} tracks
 * @param {number} crashed
 * @param {number} t
 */
function goesOn(tracks, crashed, t) {
  return ["taps", "swipes", "views", "network"].some((name) => {
    const times = tracks[name]?.t ?? [];
    return times[lastAt(times, t)] > crashed;
  });
}

/** @param {Replay} replay @param {number} t @returns {Words | null} */
function background(replay, t) {
  const away = stretchAt(replay.background, t);
  if (!away) return null;
  const length = duration(away.to - away.from);
  const ends = away.to < replay.duration_ms;
  const detail = ends ? `It came back at ${clock(away.to)}.` : "It did not come back in this session.";
  return {
    kind: "background",
    title: ends || !replay.live ? `App in background for ${length}` : "App in background",
    detail: !ends && replay.live ? `Since ${clock(away.from)}.` : detail,
  };
}

/** @param {Replay} replay @param {number} t @returns {Words | null} */
function gap(replay, t) {
  const found = stretchAt(replay.gaps, t);
  if (!found) return null;
  const length = duration(found.to - found.from);
  const span = `${clock(found.from)} to ${clock(found.to)}`;
  if (found.kind === "all") {
    return { kind: "gap", title: `No data for ${length}`, detail: `Nothing was received from ${span}.` };
  }
  const before = lastAt(replay.frames.t, found.from) >= 0;
  const next = found.to < replay.duration_ms ? `the next from ${clock(found.to)}` : "none came after it";
  const detail = before ? `The last one is from ${clock(found.from)}, ${next}.` : `From ${span}.`;
  return { kind: "gap", title: `No picture for ${length}`, detail };
}

/** @param {Replay} replay @param {number} t @returns {Words | null} */
function pending({ pending: found }, t) {
  if (!found || t < found.from) return null;
  return { kind: "wait", title: "Waiting for pictures", detail: `They come in batches; the last one is from ${clock(found.from)}.` };
}

/** @param {Reason | null} failed @returns {Words | null} */
function problem(failed) {
  if (!failed) return null;
  const [title, detail] = PROBLEMS[failed];
  return { kind: "problem", title, detail };
}

/** @param {Replay} replay @param {number} place @returns {Words | null} */
function noPicture(replay, place) {
  if (place >= 0) return null;
  const first = replay.frames.t[0];
  if (first !== undefined) {
    return { kind: "empty", title: "No picture yet", detail: `The first one is from ${clock(first)}.` };
  }
  const touched = replay.tracks.taps || replay.tracks.swipes;
  const detail = replay.live ? "Pictures may still arrive." : touched ? "Touches are shown on an empty screen." : "";
  return { kind: "empty", title: "No pictures were recorded", detail };
}
