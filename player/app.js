/**
 * The shell: who is signed in, which page is open, the bar above it.
 *
 * @import { Context, Me, Page, Project } from "./types.js"
 * @import { Route } from "./router.js"
 */

import "./own_scripts.js";

import { ApiError, createApi } from "./api.js";
import { credentialOf } from "./credential.js";
import { help } from "./draw/help.js";
import { isTyping } from "./draw/keyboard.js";
import { notice } from "./draw/notice.js";
import { chooseTheme, chosenTheme, nextTheme } from "./draw/theme.js";
import { topBar } from "./draw/top_bar.js";
import { keepProject, lastProject } from "./last_project.js";
import { createRouter, match } from "./router.js";
import { signInAddress, targetOf } from "./sign_in_target.js";
import { createStore } from "./store.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";

/** @type {Record<Route["page"], () => Promise<{open: (context: Context) => Page}>>} */
const PAGES = {
  sessions: () => import("./pages/sessions.js"),
  replay: () => import("./pages/replay.js"),
  sign_in: () => import("./pages/sign_in.js"),
};

/** @type {Me} */
const NOBODY = { admin: false, role: "", project: null };

const root = part("main");
const announcer = part("announcer");
const api = createApi(toSignIn);
const router = createRouter(arrive);

/**
 * @typedef {object} Shell
 * @property {Me | null} me
 * @property {Project[]} projects
 * @property {string | null} project  key of the one that is looked at
 * @property {ReturnType<typeof chosenTheme>} theme
 * @property {boolean} helping
 */

/** @type {Shell} */
const INITIAL = { me: null, projects: [], project: null, theme: chosenTheme(), helping: false };
const store = createStore(INITIAL, drawShell);

/** @type {Page | null} */
let page = null;
let shown = { path: "", search: "" };
let arrivals = 0;

/** @param {string} id */
function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/** @param {Readonly<Shell>} state */
function drawShell({ me, projects, project, theme, helping }) {
  const bar = topBar({
    me,
    projects,
    project,
    theme,
    onTheme: () => {
      chooseTheme(nextTheme(theme));
      store.set({ theme: chosenTheme() });
    },
    onHelp: () => store.set({ helping: true }),
    onSignOut: signOut,
    onProject: (key) => router.navigate(`/?project=${encodeURIComponent(key)}`),
  });
  render(bar, part("bar"));
  const closeHelp = () => store.set({ helping: false });
  render(helping ? help(page?.shortcuts?.() ?? [], closeHelp) : nothing, part("overlay"));
}

/** Opens the page of the address that the tab has now. */
async function arrive() {
  chooseProject();
  const { pathname, search } = location;
  if (shown.path === pathname && shown.search === search) return;
  const route = match(pathname);
  const stays = page !== null && shown.path === pathname && page.moved !== undefined;
  const before = shown.path && match(shown.path) ? shown.path + shown.search : null;
  shown = { path: pathname, search };
  if (route?.page === "sessions") lookAt(projectOf(search));
  if (stays) return page?.moved?.();
  const arrival = ++arrivals;
  try {
    const opener = route ? (await PAGES[route.page]()).open : notFound;
    if (arrival !== arrivals) return;
    openPage(opener, route?.params ?? {}, before);
  } catch (problem) {
    if (arrival === arrivals) openPage(() => failed(problem), {});
  }
}

/** @param {(context: Context) => Page} opener @param {Record<string, string>} params @param {string | null} [before] */
function openPage(opener, params, before = null) {
  const first = page === null;
  page?.close();
  render(nothing, root);
  scrollTo(0, 0);
  page = opener(contextOf(params, before));
  render(page.draw(), root);
  if (!first && !root.contains(document.activeElement)) root.focus({ preventScroll: true });
}

/** @param {Record<string, string>} params @param {string | null} before @returns {Context} */
function contextOf(params, before) {
  return {
    root,
    api,
    navigate: router.navigate,
    me: store.state.me ?? NOBODY,
    get projects() {
      return store.state.projects;
    },
    location,
    params,
    before,
    title: (title) => {
      document.title = title ? `${title} · Playhead` : "Playhead";
    },
    announce: (text) => {
      announcer.textContent = text;
    },
    project: lookAt,
    identify,
  };
}

/** @returns {Page} */
function notFound() {
  document.title = "Not found · Playhead";
  const draw = () => notice("Nothing here", html`<p>No page has this address. <a href="/">All sessions</a></p>`);
  return { draw, close() {} };
}

/** @param {unknown} problem @returns {Page} */
function failed(problem) {
  document.title = "Playhead";
  const reload = () => location.reload();
  const draw = () =>
    notice(
      "This page could not be opened",
      html`<p>${problem instanceof ApiError ? problem.message : "A part of it could not be loaded."}</p>
        <button class="button primary" type="button" @click=${reload}>Try again</button>`,
    );
  return { draw, close() {} };
}

/** The list is one project's: where the address names none, the last one that was looked at. */
function chooseProject() {
  const { me, projects } = store.state;
  const query = new URLSearchParams(location.search);
  if (!me?.admin || match(location.pathname)?.page !== "sessions" || query.get("project")) return;
  const key = lastProject(projects.map((each) => each.key));
  if (!key) return;
  query.set("project", key);
  history.replaceState(history.state, "", `/?${query}`);
}

/** @param {string | null} key */
function lookAt(key) {
  store.set({ project: key });
  if (key && store.state.projects.some((each) => each.key === key)) keepProject(key);
}

/** @param {string} search */
function projectOf(search) {
  return new URLSearchParams(search).get("project") || store.state.me?.project || null;
}

/** Who this is and what it sees. Throws ApiError (401 for nobody). */
async function identify() {
  const [me, { projects }] = await Promise.all([
    api.get("/me", { quiet: true }),
    api.get("/projects", { quiet: true }).catch(noneSeen),
  ]);
  store.set({ me, projects });
}

/** Who came by a link to one replay sees no project. @param {unknown} problem */
function noneSeen(problem) {
  if (problem instanceof ApiError && (problem.status === 403 || problem.status === 404)) return { projects: [] };
  throw problem;
}

/** With a fresh start: nothing that was loaded for somebody stays in memory. */
function toSignIn() {
  location.replace(signInAddress(location));
}

async function signOut() {
  try {
    await api.post("/sign-out", { quiet: true });
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) {
      announcer.textContent = "Signing out failed.";
      return;
    }
  }
  location.assign("/sign-in");
}

/**
 * Trades a secret in the address for a cookie; the address loses it first, so that no history keeps it.
 *
 * @returns {Promise<ApiError | null>} why it was refused
 */
async function redeem() {
  const credential = credentialOf(location.hash);
  if (!credential) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  if ("share" in credential && (await seesAlready())) return null;
  try {
    await api.post("/sign-in", { body: credential, quiet: true });
    return null;
  } catch (problem) {
    if (problem instanceof ApiError) return problem;
    throw problem;
  }
}

/** Whether who is signed in already may see the replay of this address: a share link must not sign them out. */
async function seesAlready() {
  const id = match(location.pathname)?.params.session_id;
  try {
    await api.get(`/replays/${id}`, { quiet: true });
    return true;
  } catch {
    return false;
  }
}

async function start() {
  const route = match(location.pathname);
  if (route) PAGES[route.page]().catch(() => null); // on its way meanwhile; a fault is told when it is opened
  const refusal = await redeem();
  try {
    await identify();
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) return openPage(() => failed(problem), {});
    if (match(location.pathname)?.page !== "sign_in") {
      history.replaceState({ refusal: refusal?.message }, "", signInAddress(location));
    } else if (refusal) history.replaceState({ refusal: refusal.message }, "", location.href);
    return arrive();
  }
  if (match(location.pathname)?.page === "sign_in") {
    history.replaceState(null, "", targetOf(location.search, location.origin));
  }
  return arrive();
}

addEventListener("keydown", (event) => {
  if (event.key !== "?" || isTyping(event) || event.defaultPrevented) return;
  event.preventDefault();
  store.set({ helping: true });
});

await start();
