/**
 * A project without a session: how to send the first one, and waiting for it.
 *
 * @import { Context, Project, ReplayOut } from "../types.js"
 * @import { State } from "../sessions/state.js"
 * @import { Snippet } from "./snippets.js"
 */

import { copyText } from "../draw/clipboard.js";
import { duration } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { deviceName, system, userName } from "../sessions/describe.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { firstSnippet, obstacles, snippets } from "./snippets.js";

const MAX_SHOWN = 5;

/**
 * @typedef {object} Start  the part of the page's state that is only needed while there is no session
 * @property {string} tab  id of the chosen snippet; empty: the one that fits
 * @property {string} copied  id of what was copied last
 * @property {boolean} busy  a project is being made
 * @property {Readonly<Record<string, string>>} problems  by field of its form; empty name: of the whole
 */

/** @type {Start} */
export const START = { tab: "", copied: "", busy: false, problems: {} };

/**
 * @param {State} state
 * @param {Project | undefined} project
 * @param {Context} context
 * @param {{start: (patch: Partial<Start>) => void, showNew: () => void}} actions
 */
export function firstRun(state, project, { location, me }, actions) {
  const { fresh, start } = state;
  const key = project?.key ?? me.project ?? "PROJECT_KEY";
  const all = snippets(location.origin, key);
  const tab = all.find(({ id }) => id === start.tab)?.id ?? firstSnippet(project?.platform ?? "all");
  return html`<section class="first-run">
    <header>
      <h1>Record ${project?.name ?? key}</h1>
      <p class="muted">
        Put the OpenReplay SDK into your app and point it at this server. The key of this project is
        <code>${key}</code>.
      </p>
    </header>
    ${fresh.length ? arrived(fresh, actions.showNew) : waiting()}
    <div class="card snippets">
      ${tabs(all, tab, (id) => actions.start({ tab: id, copied: "" }))}
      ${all.map((each) => panel(each, each.id === tab, start.copied === each.id, () => void copy(each, actions)))}
    </div>
    <ul class="obstacles hint">
      ${obstacles(location.origin).map((text) => html`<li>${icon("info")}<span>${text}</span></li>`)}
    </ul>
  </section>`;
}

/** @param {Snippet} snippet @param {{start: (patch: Partial<Start>) => void}} actions */
async function copy({ id, code }, { start }) {
  start({ copied: (await copyText(code)) ? id : "" });
}

function waiting() {
  return html`<div class="card waiting" role="status">
    <span class="pulse" aria-hidden="true"></span>
    <div>
      <strong>Waiting for the first session</strong>
      <p class="hint">It appears here within seconds of the app’s first data. Nothing to reload.</p>
    </div>
  </div>`;
}

/** @param {readonly ReplayOut[]} fresh @param {() => void} showNew */
function arrived(fresh, showNew) {
  return html`<div class="card arrived" role="status">
    <strong
      >${icon("check")}${fresh.length === 1 ? "The first session is here" : "The first sessions are here"}</strong
    >
    <ul>
      ${fresh.slice(0, MAX_SHOWN).map(
        (replay) =>
          html`<li>
            <span class="ellipsis"
              >${userName(replay)} · ${deviceName(replay)}, ${system(replay)} ·
              ${duration(replay.duration_ms)}</span
            >
            <a class="button primary" href="/replays/${replay.session_id}">${icon("play")}Watch</a>
          </li>`,
      )}
    </ul>
    <button class="button" type="button" @click=${showNew}>All sessions</button>
  </div>`;
}

/** @param {Snippet[]} all @param {string} chosen @param {(id: string) => void} choose */
function tabs(all, chosen, choose) {
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const at = all.findIndex(({ id }) => id === chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    const next = to === undefined ? undefined : all[to % all.length];
    if (!next || !(event.currentTarget instanceof HTMLElement)) return;
    event.preventDefault();
    choose(next.id);
    const tab = event.currentTarget.querySelector(`#tab-${next.id}`);
    if (tab instanceof HTMLElement) tab.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label="Your app" @keydown=${pressed}>
    ${all.map(
      ({ id, title }) =>
        html`<button
          class="tab"
          id="tab-${id}"
          type="button"
          role="tab"
          aria-selected=${id === chosen}
          aria-controls="panel-${id}"
          tabindex=${id === chosen ? 0 : -1}
          @click=${() => choose(id)}
        >
          ${title}
        </button>`,
    )}
  </div>`;
}

/** @param {Snippet} snippet @param {boolean} shown @param {boolean} copied @param {() => void} copy */
function panel({ id, install, place, code }, shown, copied, copy) {
  return html`<div class="panel" id="panel-${id}" role="tabpanel" aria-labelledby="tab-${id}" ?hidden=${!shown}>
    <ol class="steps">
      <li>${install}.</li>
      <li>${place}:</li>
    </ol>
    <div class="code">
      <pre tabindex="0" role="group" aria-label="Code"><code>${code}</code></pre>
      <button class="button" type="button" @click=${copy}>
        ${copied ? html`${icon("check")}Copied` : html`${icon("copy")}Copy`}
      </button>
      <span class="visually-hidden" role="status">${copied ? "Copied to the clipboard" : nothing}</span>
    </div>
  </div>`;
}
