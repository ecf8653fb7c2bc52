/**
 * Sharing, exporting and erasing a session: what the dialogs do. What they look like is in dialogs.js.
 *
 * @import { Api } from "../api.js"
 * @import { Sharing } from "./dialogs.js"
 */

import { ApiError } from "../api.js";
import { nothing } from "../vendor/lit-html/lit-html.js";
import { NOT_SHARED, eraseDialog, exportDialog, shareDialog } from "./dialogs.js";

/** @typedef {{busy: boolean, problem: string}} Erasing */
/** @typedef {{open: "share" | "export" | "erase" | null, sharing: Sharing, erasing: Erasing}} Dialogs */

/** @type {Dialogs} */
export const CLOSED = { open: null, sharing: NOT_SHARED, erasing: { busy: false, problem: "" } };

/**
 * @param {object} page
 * @param {Api} page.api
 * @param {string} page.session_id
 * @param {() => string} page.who whose session it is
 * @param {() => Dialogs} page.state
 * @param {(dialogs: Dialogs) => void} page.set
 * @param {(text: string, done: string) => Promise<boolean>} page.copy
 * @param {(text: string) => void} page.tell
 * @param {() => void} page.erased
 */
export function createDialogs({ api, session_id, who, state, set, copy, tell, erased }) {
  const open = (/** @type {Dialogs["open"]} */ name) => () => set({ ...state(), open: name });
  const close = open(null);
  const sharing = (/** @type {Partial<Sharing>} */ patch) => set({ ...state(), sharing: { ...state().sharing, ...patch } });

  async function make() {
    sharing({ busy: true, problem: "", copied: false });
    try {
      const body = { expires_in_s: state().sharing.lifetime_s };
      const link = await api.post(`/replays/${session_id}/share`, { body });
      sharing({ busy: false, link: { ...link, url: atMoment(link.url) } });
      await copyLink();
    } catch (problem) {
      sharing({ busy: false, problem: messageOf(problem) });
    }
  }

  async function copyLink() {
    const { link } = state().sharing;
    if (link && (await copy(link.url, "Link copied"))) sharing({ copied: true });
  }

  async function withdraw() {
    sharing({ busy: true, problem: "" });
    try {
      await api.del(`/replays/${session_id}/share`);
      sharing(NOT_SHARED);
      tell("Links withdrawn");
    } catch (problem) {
      sharing({ busy: false, problem: messageOf(problem) });
    }
  }

  async function erase() {
    set({ ...state(), erasing: { busy: true, problem: "" } });
    try {
      await api.del(`/replays/${session_id}`);
      tell("Session deleted");
      erased();
    } catch (problem) {
      set({ ...state(), erasing: { busy: false, problem: messageOf(problem) } });
    }
  }

  function draw() {
    const now = state();
    if (now.open === "export") return exportDialog(session_id, close);
    if (now.open === "erase") return eraseDialog({ who: who(), ...now.erasing }, erase, close);
    if (now.open === "share") return shareDialog(now.sharing, { set: sharing, make, copy: copyLink, withdraw, close });
    return nothing;
  }

  return { share: open("share"), download: open("export"), erase: open("erase"), draw };
}

/** A link that opens at the moment in our own address. @param {string} link */
function atMoment(link) {
  const moment = new URLSearchParams(location.search).get("t");
  const url = new URL(link);
  if (moment !== null) url.searchParams.set("t", moment);
  return url.href;
}

/** @param {unknown} problem */
function messageOf(problem) {
  if (problem instanceof ApiError) return problem.message;
  throw problem;
}
