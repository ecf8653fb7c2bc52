/**
 * One session: stage, timeline, controls and panels.
 *
 * @import { Context, Page } from "../types.js"
 * @import { Clock } from "../replay/clock.js"
 * @import { Replay } from "../replay/data.js"
 * @import { Sharing } from "../replay/dialogs.js"
 * @import { Deeds } from "../replay/keys.js"
 * @import { Panel } from "../replay/side.js"
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { ApiError, isAbort } from "../api.js";
import { styled } from "../draw/styled.js";
import { STOPPED, followFrom } from "../replay/clock.js";
import { controls } from "../replay/controls.js";
import { replayOf } from "../replay/data.js";
import { NOT_SHARED, eraseDialog, exportDialog, shareDialog } from "../replay/dialogs.js";
import { head } from "../replay/head.js";
import { pressed, shortcuts } from "../replay/keys.js";
import { keepUpToDate } from "../replay/live.js";
import { failure, noPanels, outline } from "../replay/loading.js";
import { panelBeside } from "../replay/panel_choice.js";
import { createAddressKeeper, momentOf, withMoment } from "../replay/place_in_address.js";
import { recall, remember } from "../replay/remembered.js";
import { createScene } from "../replay/scene.js";
import { LEAST_PX, edge, side } from "../replay/side.js";
import { loadTimeline } from "../replay/source.js";
import { oneLine } from "../panels/safe_text.js";
import { userName } from "../sessions/describe.js";
import { createStore } from "../store.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";

/** The panels and texts follow playback at this pace; stage and timeline at the screen's. */
const FOLLOW_MS = 100;
/** The panels are loaded when the first picture is there, or after this time. */
const PANELS_AFTER_MS = 400;
/** A first picture that comes so soon is what the page opens with. */
const SOON_MS = 3_000;
const TOLD_MS = 2_500;
/** How wide the panels are until the viewer says. */
const USUAL_SIDE_PX = Math.min(Math.max(innerWidth * 0.38, 420), 720);

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
 * @property {"share" | "export" | "erase" | null} dialog
 * @property {Sharing} sharing
 * @property {{busy: boolean, problem: string}} erasing
 * @property {string} told a short word about what was just done
 */

/** @param {Context} context @returns {Page} */
export function open(context) {
  const { root, api, me } = context;
  const { session_id } = context.params;
  const abort = new AbortController();
  const address = createAddressKeeper();
  /** @type {string | null} */
  let etag = null;
  /** @type {(() => void) | null} */
  let stopAsking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let telling;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let following;
  let followed = 0;

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
      side_px: Number(recall("side", String(USUAL_SIDE_PX))) || USUAL_SIDE_PX,
      fullscreen: false,
      away: false,
      dialog: null,
      sharing: NOT_SHARED,
      erasing: { busy: false, problem: "" },
      told: "",
    }),
    () => render(draw(), root),
  );

  const scene = createScene(session_id, {
    moved,
    painted() {
      performance.mark("playhead:first-frame");
      loadPanels();
    },
    signedOut: () => void api.get(`/replays/${session_id}`).catch(() => {}),
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

  /** @param {number} t */
  function seek(t) {
    scene.playback?.seek(t);
  }

  /** @param {Clock} clock @param {boolean} seeked */
  function moved(clock, seeked) {
    if (seeked || !clock.playing) address.keep(clock.position_ms);
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

  async function load() {
    store.set({ problem: null });
    try {
      const found = await loadTimeline(session_id, { signal: abort.signal }).catch(signedInMeanwhile);
      if (found) arrived(found);
    } catch (problem) {
      if (isAbort(problem)) return;
      if (!(problem instanceof ApiError)) throw problem;
      context.title("Session");
      store.set({ problem });
    }
  }

  /**
   * What the page asked for ahead may have been asked before a link signed the viewer in; nobody goes to the sign-in.
   * @param {unknown} problem
   */
  async function signedInMeanwhile(problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) throw problem;
    await api.get("/me");
    return loadTimeline(session_id, { signal: abort.signal });
  }

  /** @param {{answer: any, etag: string | null}} found */
  function arrived(found) {
    const first = store.state.replay === null;
    const replay = replayOf(found.answer);
    etag = found.etag;
    store.set({ replay });
    scene.show(replay, beginOf(replay));
    if (!first) return;
    context.title(oneLine(userName(replay.meta), 80));
    context.project(replay.meta.project);
    scene.playback?.set({ speed: Number(recall("speed", "1")) || 1, skip: store.state.clock.skip });
    if (replay.live && momentOf(context.location.search) === null) scene.playback?.follow();
    setTimeout(loadPanels, replay.frames.t.length ? PANELS_AFTER_MS : 0);
    if (replay.live) stopAsking = keepUpToDate(ask, (away) => store.set({ away }));
  }

  /** @param {Replay} replay */
  function beginOf(replay) {
    const first = replay.frames.t[0] ?? 0;
    return momentOf(context.location.search) ?? (replay.live ? followFrom(replay) : first <= SOON_MS ? first : 0);
  }

  async function ask() {
    try {
      const found = await loadTimeline(session_id, { etag, signal: abort.signal });
      if (found) arrived(found);
      return !store.state.replay?.live ? /** @type {const} */ ("final") : found ? /** @type {const} */ ("new") : "same";
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 404) throw problem;
      store.set({ problem, replay: null });
      return /** @type {const} */ ("gone");
    }
  }

  async function loadPanels() {
    if (store.state.panels.length || abort.signal.aborted) return;
    try {
      const { panels, completeness } = await import("../panels/index.js");
      if (!abort.signal.aborted) store.set({ panels, completeness, panels_missing: false });
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
    const side_px = Math.round(Math.min(Math.max(width_px, LEAST_PX), innerWidth * 0.7));
    store.set({ side_px });
    remember("side", side_px);
  }

  function toggleFullscreen() {
    const done = document.fullscreenElement ? document.exitFullscreen() : root.querySelector(".replay")?.requestFullscreen();
    done?.catch(() => tell("This browser refuses full screen"));
  }

  /** @param {string} text @param {string} done */
  async function copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
      tell(done);
      return true;
    } catch {
      tell("This browser refuses copying");
      return false;
    }
  }

  /** @param {string} told */
  function tell(told) {
    clearTimeout(telling);
    store.set({ told });
    context.announce(told);
    telling = setTimeout(() => store.set({ told: "" }), TOLD_MS);
  }

  /** @param {Partial<Sharing>} patch */
  function sharing(patch) {
    store.set({ sharing: { ...store.state.sharing, ...patch } });
  }

  async function makeLink() {
    sharing({ busy: true, problem: "", copied: false });
    try {
      const link = await api.post(`/replays/${session_id}/share`, { body: { expires_in_s: store.state.sharing.lifetime_s } });
      sharing({ busy: false, link });
      await copyLink();
    } catch (problem) {
      sharing({ busy: false, problem: messageOf(problem) });
    }
  }

  async function copyLink() {
    const { link } = store.state.sharing;
    if (link && (await copy(link.url, "Link copied"))) sharing({ copied: true });
  }

  async function withdrawLinks() {
    sharing({ busy: true, problem: "" });
    try {
      await api.del(`/replays/${session_id}/share`);
      sharing({ ...NOT_SHARED });
      tell("Links withdrawn");
    } catch (problem) {
      sharing({ busy: false, problem: messageOf(problem) });
    }
  }

  async function erase() {
    store.set({ erasing: { busy: true, problem: "" } });
    try {
      await api.del(`/replays/${session_id}`);
      context.announce("Session deleted");
      context.navigate(back());
    } catch (problem) {
      store.set({ erasing: { busy: false, problem: messageOf(problem) } });
    }
  }

  /** Where the viewer came from, with its filters. */
  function back() {
    const project = store.state.replay?.meta.project;
    return sessionStorage.getItem("playhead.sessions") ?? (project ? `/?project=${encodeURIComponent(project)}` : "/");
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

  function draw() {
    const { replay, problem } = store.state;
    if (problem) return failure(problem, back(), load);
    return replay ? drawReplay(replay) : outline();
  }

  /** @param {Replay} replay */
  function drawReplay(replay) {
    const { clock, panels, panels_missing, panel, side_px, fullscreen, away, completeness, told } = store.state;
    const opener = (/** @type {State["dialog"]} */ dialog) => () => store.set({ dialog });
    const view = { me, back: back(), away };
    return html`<div class="replay" ${styled({ "--side": `${side_px}px` })} ?data-fullscreen=${fullscreen}>
      ${head(replay, view, { seek, share: opener("share"), download: opener("export"), erase: opener("erase") })}
      <div class="replay-body">
        <div class="replay-main">${scene.stage.draw()}</div>
        ${edge(side_px, resize)}${panels_missing ? noPanels(() => location.reload()) : side(panels, panel, viewOf, choosePanel)}
      </div>
      <div class="replay-foot">
        ${completeness?.(replay) ?? nothing} ${scene.bar.draw()} ${controls(replay, clock, fullscreen, deeds)}
      </div>
      <p class="told" ?hidden=${!told}>${told}</p>
      ${drawDialog(replay)}
    </div>`;
  }

  /** @param {Replay} replay */
  function drawDialog(replay) {
    const { dialog, sharing: state, erasing } = store.state;
    const close = () => store.set({ dialog: null });
    if (dialog === "export") return exportDialog(session_id, close);
    if (dialog === "erase") return eraseDialog({ who: userName(replay.meta), ...erasing }, erase, close);
    if (dialog !== "share") return nothing;
    return shareDialog(state, { set: sharing, make: makeLink, copy: copyLink, withdraw: withdrawLinks, close });
  }

  /** @param {KeyboardEvent} event */
  const onKey = (event) => pressed(event, deeds);
  const onFullscreen = () => store.set({ fullscreen: document.fullscreenElement !== null });
  addEventListener("keydown", onKey);
  document.addEventListener("fullscreenchange", onFullscreen);
  context.title("Session");
  load();

  return {
    draw,
    shortcuts,
    moved() {
      const moment = momentOf(context.location.search);
      if (moment !== null) seek(moment);
    },
    close() {
      abort.abort();
      stopAsking?.();
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

/** @param {unknown} problem */
function messageOf(problem) {
  if (problem instanceof ApiError) return problem.message;
  throw problem;
}
