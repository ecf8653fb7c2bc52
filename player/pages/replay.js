/**
 * One session: stage, timeline, controls and panels.
 *
 * @import { ApiError } from "../api.js"
 * @import { Context, Page } from "../types.js"
 * @import { Clock } from "../replay/clock.js"
 * @import { Replay } from "../replay/data.js"
 * @import { Dialogs } from "../replay/session_dialogs.js"
 * @import { Deeds } from "../replay/keys.js"
 * @import { Panel } from "../replay/side.js"
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { copyText } from "../draw/clipboard.js";
import { styled } from "../draw/styled.js";
import { oneLine } from "../panels/safe_text.js";
import { STOPPED, followFrom, knownSpeed } from "../replay/clock.js";
import { controls } from "../replay/controls.js";
import { head } from "../replay/head.js";
import { pressed, shortcuts } from "../replay/keys.js";
import { failure, headToCome, noPanels } from "../replay/loading.js";
import { loadOpening, stillIn } from "../replay/opening.js";
import { panelBeside } from "../replay/panel_choice.js";
import { createAddressKeeper, momentOf, withMoment } from "../replay/place_in_address.js";
import { recall, remember } from "../replay/remembered.js";
import { createScene } from "../replay/scene.js";
import { CLOSED, createDialogs } from "../replay/session_dialogs.js";
import { edge, side } from "../replay/side.js";
import { keepSideWidth, sideWidth } from "../replay/side_width.js";
import { createSource } from "../replay/source.js";
import { wayBack } from "../replay/way_back.js";
import { userName } from "../sessions/describe.js";
import { createStore } from "../store.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";

/** The panels and texts follow playback at this pace; stage and timeline at the screen's. */
const FOLLOW_MS = 100;
/** The panels are loaded when the first picture is there, or after this time. */
const PANELS_AFTER_MS = 1_500;
/** A first picture that comes so soon is what the page opens with; the server's OPENS_WITHIN_MS (sessions/replays.py). */
const SOON_MS = 3_000;
const TOLD_MS = 2_500;

/**
 * @typedef {object} State
 * @property {Replay | null} replay
 * @property {ApiError | null} problem why there is none
 * @property {Clock} clock
 * @property {readonly Panel[]} panels
 * @property {boolean} panels_missing they could not be loaded
 * @property {((replay: Replay) => TemplateResult) | null} completeness
 * @property {string} panel
 * @property {Record<string, any>} panel_state by panel
 * @property {number} side_px
 * @property {boolean} fullscreen
 * @property {boolean} away news of a live session cannot be had
 * @property {Dialogs} dialogs
 * @property {string} told a short word about what was just done
 */

/** @param {Context} context @returns {Page} */
export function open(context) {
  const { root, api, me } = context;
  const { session_id } = context.params;
  const address = createAddressKeeper();
  const back = wayBack(context);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let telling;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let following;
  let followed = 0;
  let closed = false;
  const abort = new AbortController();
  const opening = loadOpening(session_id, momentOf(context.location.search), abort.signal);
  /** The first picture is on the screen. */
  let seen = false;
  /** @type {() => void} */
  let beginParsing = () => {};

  const store = createStore(
    /** @type {State} */ ({
      replay: null,
      problem: null,
      clock: { ...STOPPED, skip: recall("skip", "false") === "true" },
      panels: [],
      panels_missing: false,
      completeness: null,
      panel: recall("panel", "events"),
      panel_state: {},
      side_px: sideWidth(),
      fullscreen: false,
      away: false,
      dialogs: CLOSED,
      told: "",
    }),
    () => render(draw(), root),
  );

  const scene = createScene(session_id, {
    moved,
    painted: () => marked("playhead:first-frame", () => {
      seen = true;
      beginParsing();
      if (store.state.replay) loadPanels();
    }),
    signedOut: () => void api.get(`/replays/${session_id}`).catch(() => {}),
  });

  const source = createSource(session_id, api, {
    arrived,
    failed: (problem) => store.set({ problem, replay: null }),
    away: (away) => store.set({ away }),
  });
  const dialogs = createDialogs({
    api,
    session_id,
    who: () => userName(store.state.replay?.meta),
    state: () => store.state.dialogs,
    set: (dialogs) => store.set({ dialogs }),
    copy,
    tell,
    erased: () => context.navigate(back.address(store.state.replay?.meta.project), { replace: true }),
  });

  /** @type {Deeds} */
  const deeds = {
    toggle: () => scene.playback?.toggle(),
    move: (by_ms) => seek(scene.clock.position_ms + by_ms),
    jump: (share) => seek(share * (store.state.replay?.duration_ms ?? 0)),
    step: (way) => scene.playback?.step(way),
    issue(way) {
      if (scene.playback && !scene.playback.issue(way)) tell(way > 0 ? "No issue after this moment" : "No issue before this moment");
    },
    speed(choose) {
      scene.playback?.set({ speed: choose(scene.clock.speed) });
      remember("speed", scene.clock.speed);
    },
    skip() {
      scene.playback?.set({ skip: !scene.clock.skip });
      remember("skip", scene.clock.skip);
      tell(scene.clock.skip ? "Inactivity is skipped" : "Everything is played");
    },
    fullscreen: toggleFullscreen,
    copyLink: () => copy(withMoment(location.href, scene.clock.position_ms), "Link to this moment copied"),
    follow: () => store.state.replay?.live && scene.playback?.follow(),
    panel: (way) => choosePanel(panelBeside(store.state.panels, store.state.panel, way)),
    search: () => /** @type {HTMLElement | null} */ (root.querySelector(".panel input"))?.focus(),
  };

  /**
   * What is drawn now is seen with the screen's next frame.
   * @param {string} name
   * @param {() => void} then
   */
  function marked(name, then) {
    requestAnimationFrame(() => {
      performance.mark(name);
      then();
    });
  }

  function load() {
    const begun = new Promise((resolve) => {
      beginParsing = () => resolve(null);
    });
    const opened = opening.then((first) => {
      if (first) scene.open(first);
      else beginParsing();
    });
    source.load(Promise.all([begun, opened]));
  }

  /** @param {number} t */
  function seek(t) {
    scene.playback?.seek(t);
  }

  /** @param {Clock} clock @param {boolean} seeked */
  function moved(clock, seeked) {
    if (seeked || (store.state.clock.playing && !clock.playing)) address.keep(clock.position_ms);
    const wait = followed + FOLLOW_MS - performance.now();
    if (wait <= 0 || (!clock.playing && !scene.scrubbing)) return follow();
    following ??= setTimeout(follow, wait);
  }

  function follow() {
    clearTimeout(following);
    following = undefined;
    followed = performance.now();
    store.set({ clock: scene.clock });
  }

  /** @param {Replay} replay */
  function arrived(replay) {
    const first = store.state.replay === null;
    store.set({ replay, problem: null });
    scene.show(replay, beginOf(replay));
    if (!first) return;
    context.title(oneLine(userName(replay.meta), 80));
    context.project(replay.meta.project);
    scene.playback?.set({ speed: knownSpeed(recall("speed", "1")), skip: store.state.clock.skip });
    if (replay.live && momentOf(context.location.search) === null) scene.playback?.follow();
    // the page is drawn with the next frame
    requestAnimationFrame(() => marked("playhead:ready", () => seen && loadPanels()));
    setTimeout(loadPanels, replay.frames.t.length ? PANELS_AFTER_MS : 0);
  }

  /** @param {Replay} replay */
  function beginOf(replay) {
    const first = replay.frames.t[0] ?? 0;
    return momentOf(context.location.search) ?? (replay.live ? followFrom(replay) : first <= SOON_MS ? first : 0);
  }

  async function loadPanels() {
    if (store.state.panels.length || closed) return;
    try {
      const { panels, completeness } = await import("../panels/index.js");
      store.set({ panels, completeness, panels_missing: false });
    } catch {
      store.set({ panels_missing: true });
    }
  }

  /** @param {string} panel */
  function choosePanel(panel) {
    store.set({ panel });
    remember("panel", panel);
  }

  /** @param {number} width_px */
  function resize(width_px) {
    store.set({ side_px: keepSideWidth(width_px) });
  }

  function toggleFullscreen() {
    const done = document.fullscreenElement ? document.exitFullscreen() : root.querySelector(".replay")?.requestFullscreen();
    done?.catch(() => tell("This browser refuses full screen"));
  }

  /** @param {string} text @param {string} done */
  async function copy(text, done) {
    const copied = await copyText(text);
    tell(copied ? done : "This browser refuses copying");
    return copied;
  }

  /** @param {string} told */
  function tell(told) {
    clearTimeout(telling);
    store.set({ told });
    context.announce(told);
    telling = setTimeout(() => store.set({ told: "" }), TOLD_MS);
  }

  /** @param {Panel} panel */
  function viewOf(panel) {
    const { replay, clock, panel_state } = store.state;
    return {
      replay: /** @type {Replay} */ (replay),
      position_ms: clock.position_ms,
      seek,
      api,
      state: panel_state[panel.id] ?? {},
      set(/** @type {Record<string, any>} */ patch) {
        const all = store.state.panel_state;
        store.set({ panel_state: { ...all, [panel.id]: { ...all[panel.id], ...patch } } });
      },
    };
  }

  function again() {
    store.set({ problem: null });
    source.load();
  }

  function draw() {
    const { replay, problem, panels, panels_missing, panel, side_px, fullscreen, told } = store.state;
    if (problem) return failure(problem, back.address(me.project), again);
    return html`<div
      class="replay"
      ${styled({ "--side": `${side_px}px` })}
      ?data-fullscreen=${fullscreen}
      aria-busy=${!replay}
      aria-label=${replay ? nothing : "Loading the session"}
    >
      ${replay ? drawHead(replay) : headToCome()}
      <div class="replay-body">
        <div class="replay-main">${scene.stage.draw()}</div>
        ${edge(side_px, resize)}${panels_missing ? noPanels(() => location.reload()) : side(replay ? panels : [], panel, viewOf, choosePanel)}
      </div>
      <div class="replay-foot">${replay ? drawFoot(replay) : nothing}</div>
      <p class="told" ?hidden=${!told}>${told}</p>
      ${dialogs.draw()}
    </div>`;
  }

  /** @param {Replay} replay */
  function drawHead(replay) {
    const view = { me, back: back.address(replay.meta.project), away: store.state.away };
    return head(replay, view, { seek, back: back.followed, share: dialogs.share, download: dialogs.download, erase: dialogs.erase });
  }

  /** @param {Replay} replay */
  function drawFoot(replay) {
    const { clock, fullscreen, completeness } = store.state;
    return html`${completeness?.(replay) ?? nothing} ${scene.bar.draw()} ${controls(replay, clock, fullscreen, deeds)}`;
  }

  /** @param {KeyboardEvent} event */
  const onKey = (event) => pressed(event, deeds);
  const onFullscreen = () => store.set({ fullscreen: document.fullscreenElement !== null });
  addEventListener("keydown", onKey);
  document.addEventListener("fullscreenchange", onFullscreen);
  context.title("Session");
  const still = stillIn(root, session_id, momentOf(context.location.search));
  if (still) scene.openWith(still);
  load();

  return {
    draw,
    shortcuts,
    moved() {
      const moment = momentOf(context.location.search);
      if (moment !== null) seek(moment);
    },
    close() {
      closed = true;
      abort.abort();
      source.close();
      clearTimeout(telling);
      clearTimeout(following);
      address.close();
      removeEventListener("keydown", onKey);
      document.removeEventListener("fullscreenchange", onFullscreen);
      store.close();
      scene.close();
    },
  };
}
