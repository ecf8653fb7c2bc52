/**
 * Who uses the player: trading what a link holds for a cookie, reading who that is, leaving.
 *
 * @import { Api } from "./api.js"
 * @import { Me, Project } from "./types.js"
 */

import { ApiError, PREFIX } from "./api.js";
import { credentialOf } from "./credential.js";
import { match } from "./router.js";

/** Who came by a link to one replay. @param {Me | null} me */
export function isGuest(me) {
  return me?.role === "share";
}

/** Throws ApiError, 401 for nobody. @param {Api} api @returns {Promise<Me>} */
export function readMe(api) {
  return api.get("/me", { quiet: true });
}

/**
 * Before somebody else is signed in: takes what the page may have asked for ahead, which tells who it was before.
 * @param {Api} api
 */
export async function forgetMe(api) {
  if (cameSignedIn()) await readMe(api).catch(() => null);
}

/** Whether the browser sent a sign-in, which may have ended, with the page: it then names what it asks for ahead. */
function cameSignedIn() {
  return document.querySelector(`link[rel="preload"][href="${PREFIX}/me"]`) !== null;
}

/** The projects that somebody sees. Throws ApiError. @param {Api} api @param {Me} me @returns {Promise<Project[]>} */
export async function readProjects(api, me) {
  if (isGuest(me)) return [];
  const { projects } = await api.get("/projects", { quiet: true });
  return projects;
}

/**
 * Trades a secret in the address for a cookie; the address loses it first, so that no history keeps it.
 *
 * @param {Api} api
 * @returns {Promise<ApiError | null>} why it was refused
 */
export async function redeem(api) {
  const credential = credentialOf(location.hash);
  if (!credential) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  if ("share" in credential && cameSignedIn() && (await seesAlready(api))) return null;
  try {
    await api.post("/sign-in", { body: credential, quiet: true });
    return null;
  } catch (problem) {
    if (problem instanceof ApiError) return problem;
    throw problem;
  }
}

/** Whether the replay of this address is seen anyway: a share link must not sign anybody out. @param {Api} api */
async function seesAlready(api) {
  try {
    await api.get(`/replays/${match(location.pathname)?.params.session_id}`, { quiet: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether it worked; who was not signed in is signed out too. @param {Api} api */
export async function signOut(api) {
  try {
    await api.post("/sign-out", { quiet: true });
    return true;
  } catch (problem) {
    return problem instanceof ApiError && problem.status === 401;
  }
}
