/**
 * The shell: who is signed in, which page is open, the bar above it.
 *
 * @import { Context, Me, Page, Project } from "./types.js"
 * @import { Route } from "./router.js"
 */

import "./own_scripts.js";

import { forgetMe, isGuest, readMe, readProjects, redeem, signOut } from "./access.js";
import { ApiError, createApi } from "./api.js";
import { credentialOf } from "./credential.js";
import { help } from "./draw/help.js";
import { isTyping } from "./draw/keyboard.js";
import { notice } from "./draw/notice.js";
import { chooseTheme, chosenTheme, nextTheme } from "./draw/theme.js";
import { topBar } from "./draw/top_bar.js";
import { keepProject, lastProject } from "./last_project.js";
import { addressOf, createRouter, listingOf, match } from "./router.js";
import { signInAddress, targetOf } from "./sign_in_target.js";
import { createStore } from "./store.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";

/** @type {Record<Route["page"], () => Promise<{open: (context: Context) => Page}>>} */
const PAGES = {
  sessions: () => import("./pages/sessions.js"),
  issues: () => import("./pages/issues.js"),
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
 * @property {ReturnType<typeof listingOf>} listing  the list that is open
 * @property {ReturnType<typeof chosenTheme>} theme
 * @property {boolean} helping
 */

/** @type {Shell} */
const INITIAL = { me: null, projects: [], project: null, listing: null, theme: chosenTheme(), helping: false };
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
function drawShell({ me, projects, project, listing, theme, helping }) {
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
    onSignOut: leave,
    listing,
    onProject: (key) => router.navigate(addressOf(listing, key)),
  });
  render(bar, part("bar"));
  const closeHelp = () => store.set({ helping: false });
  render(helping ? help(page?.shortcuts?.() ?? [], closeHelp) : nothing, part("overlay"));
}

/** Opens the page of the address that the tab has now. */
async function arrive() {
  if (credentialOf(location.hash)) return location.reload(); // it is redeemed at the start
  chooseProject();
  const { pathname, search } = location;
  if (shown.path === pathname && shown.search === search) return;
  const route = match(pathname);
  const stays = page !== null && shown.path === pathname && page.moved !== undefined;
  const before = shown.path && match(shown.path) ? shown.path + shown.search : null;
  shown = { path: pathname, search };
  store.set({ listing: listingOf(route) });
  if (listingOf(route)) lookAt(projectOf(search));
  if (stays) return page?.moved?.();
  const arrival = ++arrivals;
  try {
    const opener = await openerOf(route);
    if (arrival !== arrivals) return;
    openPage(opener, route?.params ?? {}, before);
  } catch (problem) {
    if (arrival === arrivals) openPage(() => failed(problem), {});
  }
}

/** @param {Route | null} route @returns {Promise<(context: Context) => Page>} */
async function openerOf(route) {
  if (listingOf(route) && isGuest(store.state.me)) return oneReplay;
  return route ? (await PAGES[route.page]()).open : notFound;
}

/** @param {(context: Context) => Page} opener @param {Record<string, string>} params @param {string | null} [before] */
function openPage(opener, params, before = null) {
  const first = page === null;
  page?.close();
  render(nothing, root);
  scrollTo(0, 0);
  page = opener(contextOf(params, before));
  root.querySelector(".still")?.remove();
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

/** @returns {Page} */
function oneReplay() {
  document.title = "One session · Playhead";
  const draw = () =>
    notice(
      "Your link opens one session",
      html`<p>Others are for those who are signed in with a key. <a href="/sign-in">Sign in</a></p>`,
    );
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

/** A list is one project's: where the address names none, the last one that was looked at. */
function chooseProject() {
  const { me, projects } = store.state;
  const query = new URLSearchParams(location.search);
  if (!me?.admin || !listingOf(match(location.pathname)) || query.get("project")) return;
  const key = lastProject(projects.map((each) => each.key));
  if (!key) return;
  query.set("project", key);
  history.replaceState(history.state, "", `${location.pathname}?${query}`);
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
  const me = await readMe(api);
  store.set({ me, projects: await readProjects(api, me) });
}

/** With a fresh start: nothing that was loaded for somebody stays in memory. */
function toSignIn() {
  location.replace(signInAddress(location));
}

async function leave() {
  if (await signOut(api)) location.assign("/sign-in");
  else announcer.textContent = "Signing out failed.";
}

async function start() {
  const route = match(location.pathname);
  if (credentialOf(location.hash)) await forgetMe(api);
  const refusal = await redeem(api);
  try {
    const me = await readMe(api);
    store.set({ me });
    const projects = readProjects(api, me).then((found) => store.set({ projects: found }));
    if (route?.page === "replay")
      projects.catch(() => null); // it goes without them
    else await projects;
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) return openPage(() => failed(problem), {});
    const address = route?.page === "sign_in" ? location.href : signInAddress(location);
    if (refusal || route?.page !== "sign_in") history.replaceState({ refusal: refusal?.message }, "", address);
    return arrive();
  }
  if (route?.page === "sign_in" && !isGuest(store.state.me)) {
    history.replaceState(null, "", targetOf(location.search, location.origin));
  }
  return arrive();
}

addEventListener("keydown", (event) => {
  if (event.key !== "?" || isTyping(event) || event.defaultPrevented) return;
  event.preventDefault();
  store.set({ helping: true });
});

start();
