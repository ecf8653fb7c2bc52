/**
 * The bar above every page: way home, project, theme, help, sign-out.
 *
 * @import { Listing } from "../router.js"
 * @import { Me, Project } from "../types.js"
 * @import { ThemeChoice } from "./theme.js"
 */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { isGuest } from "../access.js";
import { LISTINGS, addressOf } from "../router.js";
import { icon } from "./icons.js";

/**
 * @typedef {object} Bar
 * @property {Me | null} me  null: not signed in
 * @property {Project[]} projects
 * @property {string | null} project  key of the one that is looked at
 * @property {Listing | null} listing  the list that is open
 * @property {ThemeChoice} theme
 * @property {() => void} onTheme
 * @property {() => void} onHelp
 * @property {() => void} onSignOut
 * @property {(key: string) => void} onProject
 */

const THEMES = /** @type {const} */ ({
  system: ["contrast", "the system’s"],
  light: ["sun", "light"],
  dark: ["moon", "dark"],
});

/** @param {Bar} bar */
export function topBar(bar) {
  const [themeIcon, themeName] = THEMES[bar.theme];
  return html`<header class="bar">
    <a class="brand" href=${addressOf("sessions", bar.project)} aria-label="Playhead: sessions">${mark()}<span>Playhead</span></a>
    ${bar.me ? switcher(bar) : nothing} ${bar.me && !isGuest(bar.me) ? listings(bar) : nothing}
    <span class="bar-space"></span>
    <button
      class="button quiet square"
      type="button"
      aria-label="Theme: ${themeName}"
      title="Theme: ${themeName}"
      @click=${bar.onTheme}
    >
      ${icon(themeIcon)}
    </button>
    <button class="button quiet square" type="button" aria-label="Help" title="Help (?)" @click=${bar.onHelp}>
      ${icon("help")}
    </button>
    ${
      bar.me
        ? html`<button
            class="button quiet square"
            type="button"
            aria-label="Sign out"
            title="Sign out"
            @click=${bar.onSignOut}
          >
            ${icon("sign-out")}
          </button>`
        : nothing
    }
  </header>`;
}

/** @param {Bar} bar */
function listings({ listing, project }) {
  const names = /** @type {Listing[]} */ (Object.keys(LISTINGS));
  return html`<nav class="bar-lists" aria-label="Lists">
    ${names.map(
      (name) =>
        html`<a href=${addressOf(name, project)} aria-current=${name === listing ? "page" : nothing}
          >${LISTINGS[name][1]}</a
        >`,
    )}
  </nav>`;
}

function mark() {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect class="mark-ground" width="32" height="32" rx="8" />
    <path class="mark-play" d="M12.5 9.8v12.4a1 1 0 0 0 1.5.9l10-6.2a1 1 0 0 0 0-1.8L14 8.9a1 1 0 0 0-1.5.9z" />
    <path class="mark-line" d="M8 8v16" />
  </svg>`;
}

/** @param {Bar} bar */
function switcher({ me, projects, project, onProject }) {
  if (!projects.length) return nothing;
  if (!me?.admin) return html`<span class="bar-project ellipsis">${projects[0]?.name}</span>`;
  /** @param {Event} event */
  const changed = (event) => {
    if (event.target instanceof HTMLSelectElement) onProject(event.target.value);
  };
  return html`<select
    class="select bar-project"
    aria-label="Project"
    .value=${live(project ?? "")}
    @change=${changed}
  >
    ${projects.map(({ key, name }) => html`<option value=${key} ?selected=${key === project}>${name}</option>`)}
  </select>`;
}
