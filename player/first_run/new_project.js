/**
 * No project at all: a form that makes the first one.
 *
 * @import { Context, Project } from "../types.js"
 * @import { State } from "../sessions/state.js"
 * @import { Start } from "./view.js"
 */

import { ApiError } from "../api.js";
import { problemLine } from "../draw/fields.js";
import { html } from "../vendor/lit-html/lit-html.js";

const FIELDS = ["name", "key", "platform"];

/** @param {State} state @param {Context} context @param {{start: (patch: Partial<Start>) => void}} actions */
export function newProject({ start }, { api, identify, navigate }, actions) {
  /** @param {SubmitEvent} event */
  async function submitted(event) {
    event.preventDefault();
    if (start.busy || !(event.target instanceof HTMLFormElement)) return;
    const form = event.target;
    const said = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
    const body = Object.fromEntries(Object.entries(said).filter(([, value]) => value));
    if (!body.name) return refuse(form, { name: "Give it a name." });
    actions.start({ busy: true, problems: {} });
    try {
      const project = /** @type {Project} */ (await api.post("/projects", { body }));
      await identify();
      actions.start({ busy: false });
      navigate(`/?project=${encodeURIComponent(project.key)}`);
    } catch (problem) {
      refuse(form, problemsOf(problem));
    }
  }

  /** @param {HTMLFormElement} form @param {Record<string, string>} problems */
  function refuse(form, problems) {
    actions.start({ busy: false, problems });
    const field = form.elements.namedItem(Object.keys(problems)[0] ?? "");
    if (field instanceof HTMLElement) field.focus();
  }

  return html`<section class="first-run narrow">
    <header>
      <h1>Your first project</h1>
      <p class="muted">A project is one app: its sessions, its key, who may see them.</p>
    </header>
    <form class="card" novalidate @submit=${submitted}>
      ${input("name", "Name", "Shop", "", start.problems.name)}
      ${input("key", "Key", "made up", "The app sends it to say whose sessions these are.", start.problems.key)}
      <div class="field">
        <label for="project-platform">Platform</label>
        <select class="select" id="project-platform" name="platform">
          <option value="all">iOS and Android</option>
          <option value="ios">iOS</option>
          <option value="android">Android</option>
        </select>
      </div>
      <div role="alert">${problemLine(start.problems[""] ?? "")}</div>
      <button class="button primary" type="submit" ?disabled=${start.busy}>Create project</button>
    </form>
  </section>`;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} placeholder
 * @param {string} hint
 * @param {string | undefined} problem
 */
function input(name, label, placeholder, hint, problem) {
  return html`<div class="field">
    <label for="project-${name}">${label}</label>
    <input
      class="input"
      id="project-${name}"
      name=${name}
      placeholder=${placeholder}
      maxlength="200"
      autocomplete="off"
      spellcheck="false"
      aria-invalid=${Boolean(problem)}
      aria-describedby="project-${name}-said"
    />
    <p id="project-${name}-said" class="hint">
      ${problem ? html`<span class="wrong-value">${problem}</span>` : hint}
    </p>
  </div>`;
}

/** @param {unknown} problem @returns {Record<string, string>} */
function problemsOf(problem) {
  if (!(problem instanceof ApiError)) throw problem;
  const own = problem.details
    .filter(({ field }) => FIELDS.includes(field))
    .map(({ field, message }) => [field, message]);
  if (own.length) return Object.fromEntries(own);
  return problem.status === 409 ? { key: problem.message } : { "": problem.message };
}
