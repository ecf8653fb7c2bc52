/**
 * The list of issues: what many sessions have in common. What it looks like is in issues/view.js.
 *
 * @import { Context, IssuesOut, Page } from "../types.js"
 * @import { Asked } from "../issues/address.js"
 * @import { State } from "../issues/view.js"
 */

import { ApiError, isAbort } from "../api.js";
import { plural } from "../draw/format.js";
import { askedOf, issuesAddress } from "../issues/address.js";
import { issuesView } from "../issues/view.js";
import { createStore } from "../store.js";
import { render } from "../vendor/lit-html/lit-html.js";

const PAGE = 50;
const CLOCK_MS = 30_000;

/** @param {Context} context @returns {Page} */
export function open({ root, api, me, navigate, location, title, announce }) {
  title("Issues");
  let asking = new AbortController();
  /** @type {State} */
  const initial = {
    asked: askedOf(location.search),
    phase: "loading",
    issues: [],
    cursor: null,
    more: false,
    problem: null,
    now_ms: Date.now(),
  };
  const store = createStore(initial, () => render(draw(), root));

  /** @param {Partial<Asked>} changed */
  function ask(changed) {
    navigate(issuesAddress({ ...store.state.asked, ...changed }));
  }

  /** The first page of what the address asks for. */
  async function load() {
    asking.abort();
    asking = new AbortController();
    const asked = askedOf(location.search);
    const same = asked.project === store.state.asked.project;
    const issues = same ? store.state.issues : [];
    store.set({ asked, phase: "loading", issues, cursor: null, more: false, problem: null });
    if (!asked.project && me.admin) return store.set({ phase: "ready", issues: [], cursor: null }); // there is no project yet
    const page = await read(asked, null, asking.signal);
    if (page instanceof ApiError) return store.set({ phase: "failed", problem: page, issues: [] });
    if (!page) return;
    store.set({ phase: "ready", issues: page.issues, cursor: page.next_cursor });
    announce(`${page.next_cursor === null ? "" : "More than "}${plural(page.issues.length, "issue")}.`);
  }

  async function more() {
    const { asked, phase, cursor, more: busy } = store.state;
    if (phase !== "ready" || busy || cursor === null) return;
    store.set({ more: true, problem: null });
    const page = await read(asked, cursor, asking.signal);
    if (page instanceof ApiError) store.set({ more: false, problem: page });
    else if (page) {
      store.set({ more: false, issues: [...store.state.issues, ...page.issues], cursor: page.next_cursor });
      announce(`${plural(page.issues.length, "further issue")}.`);
    }
  }

  /**
   * @param {Asked} asked
   * @param {string | null} cursor
   * @param {AbortSignal} signal
   * @returns {Promise<IssuesOut | ApiError | null>} null: nobody waits for it any more
   */
  async function read(asked, cursor, signal) {
    try {
      const page = await api.get("/issues", { params: { ...asked, limit: PAGE, cursor }, signal });
      return signal.aborted ? null : page;
    } catch (problem) {
      if (isAbort(problem) || signal.aborted) return null;
      if (problem instanceof ApiError) return problem;
      throw problem;
    }
  }

  function draw() {
    return issuesView(store.state, { ask, more, retry: load });
  }

  const clock = setInterval(() => store.set({ now_ms: Date.now() }), CLOCK_MS);
  void load();

  return {
    draw,
    moved: load,
    close() {
      clearInterval(clock);
      asking.abort();
      store.close();
    },
  };
}
