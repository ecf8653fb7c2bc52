/**
 * Everything that moves with time on the replay page: playback, pictures, stage and timeline, painted at the screen's
 * pace and outside of the page's own drawing.
 *
 * @import { Clock } from "./clock.js"
 * @import { Replay } from "./data.js"
 * @import { Opening } from "./opening.js"
 * @import { Playback } from "./playback.js"
 */

import { STOPPED } from "./clock.js";
import { createPictures } from "./pictures.js";
import { createPlayback } from "./playback.js";
import { picturesAddress } from "./timeline_request.js";
import { createStage } from "./stage.js";
import { createTimelineBar } from "./timeline_bar.js";

/**
 * @param {string} session_id
 * @param {object} told
 * @param {(clock: Clock, seeked: boolean) => void} told.moved
 * @param {() => void} told.painted the first real picture is on the screen
 * @param {() => void} told.signedOut the server gives no pictures to whoever this is now
 */
export function createScene(session_id, told) {
  /** @type {Replay | null} */
  let replay = null;
  /** @type {Playback | null} */
  let playback = null;
  /** @type {Opening | null} */
  let opening = null;
  let closed = false;
  let scrub = { active: false, was_playing: false, from_ms: 0, way: /** @type {1 | -1} */ (1) };
  const stage = createStage(told.painted);
  const bar = createTimelineBar({
    scrub: scrubbed,
    hover: (t) => pictures.preview(t),
    seek: (t) => playback?.seek(t),
  });
  const pictures = createPictures(picturesAddress(session_id), pictured);

  function pictured() {
    if (!replay || !playback) return;
    if (pictures.at(playback.clock.position_ms).failed === "signed_out") told.signedOut();
    stage.show({ replay, clock: playback.clock, pictures });
    bar.pictured();
  }

  /** @param {Clock} clock @param {boolean} seeked */
  function changed(clock, seeked) {
    if (!replay) return;
    pictures.want({ ...clock, scrubbing: scrub.active, way: scrub.way });
    stage.show({ replay, clock, pictures });
    bar.show({ replay, clock, pictures });
    told.moved(clock, seeked);
  }

  /** @param {number} t @param {"start" | "move" | "end"} phase */
  function scrubbed(t, phase) {
    if (!playback) return;
    if (phase === "start") {
      scrub = { active: true, was_playing: playback.clock.playing, from_ms: t, way: 1 };
      playback.pause();
    } else if (t !== scrub.from_ms) {
      scrub = { ...scrub, way: t > scrub.from_ms ? 1 : -1, from_ms: t };
    }
    if (phase === "end") scrub.active = false;
    playback.seek(t);
    if (phase === "end" && scrub.was_playing && !playback.clock.playing) playback.toggle();
  }

  /** Gives the first picture to the others. @param {Opening} first */
  function take({ name, bitmap }) {
    opening = null;
    pictures.take(name, bitmap);
  }

  return {
    stage,
    bar,
    /** Null until there is a session. */
    get playback() {
      return playback;
    },
    get clock() {
      return playback?.clock ?? STOPPED;
    },
    get scrubbing() {
      return scrub.active;
    },
    /** The first picture as it may be seen already, until `open` brings it. @param {HTMLImageElement} picture */
    openWith(picture) {
      stage.open(picture);
    },
    /** The first picture, come before the session or after it. @param {Opening} first */
    open(first) {
      if (closed) return first.bitmap.close();
      if (replay) {
        take(first);
        return pictured();
      }
      opening = first;
      stage.open(first.bitmap);
    },
    /** @param {Replay} newer the session, or a newer state of it @param {number} begin_ms where it is shown first */
    show(newer, begin_ms) {
      replay = newer;
      pictures.show(newer.frames);
      if (!playback) {
        playback = createPlayback(newer, changed, begin_ms);
        if (opening) take(opening);
        if (!pictures.at(begin_ms).exact) pictures.hurry(begin_ms);
      }
      playback.show(newer);
      changed(playback.clock, false);
    },
    close() {
      closed = true;
      opening?.bitmap.close();
      playback?.close();
      pictures.close();
      stage.close();
      bar.close();
      replay = null;
    },
  };
}
