/**
 * Signing in with a key. Links that sign in by themselves are redeemed by the shell; if one was refused, its reason
 * is in the history's state.
 *
 * @import { Context, Page } from "../types.js"
 */

import { ApiError } from "../api.js";
import { problemLine } from "../draw/fields.js";
import { targetOf } from "../sign_in_target.js";
import { createStore } from "../store.js";
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { ref } from "../vendor/lit-html/directives/ref.js";

/** @param {Context} context @returns {Page} */
export function open({ root, api, identify, navigate, location, title }) {
  title("Sign in");
  const store = createStore({ busy: false, problem: refusalOf(history.state), refused: false }, () => render(draw(), root));

  /** @param {SubmitEvent} event */
  async function submitted(event) {
    event.preventDefault();
    if (store.state.busy || !(event.target instanceof HTMLFormElement)) return;
    const field = event.target.elements.namedItem("key");
    if (!(field instanceof HTMLInputElement)) return;
    const key = field.value.trim();
    if (!key) return refuse("Enter a key.", field);
    store.set({ busy: true, problem: "", refused: false });
    try {
      await api.post("/sign-in", { body: { key }, quiet: true });
      await identify();
      navigate(targetOf(location.search, location.origin), { replace: true });
    } catch (problem) {
      refuse(reasonOf(problem), field);
    }
  }

  /** @param {string} problem @param {HTMLInputElement} field */
  function refuse(problem, field) {
    store.set({ busy: false, problem, refused: true });
    field.focus();
    field.select();
  }

  function draw() {
    const { busy, problem, refused } = store.state;
    return html`<section class="sign-in">
      <h1>Sign in to Playhead</h1>
      <form class="card" novalidate @submit=${submitted}>
        <input hidden type="text" name="username" autocomplete="username" value="playhead" />
        <div class="field">
          <label for="key">API key or admin key</label>
          <input
            class="input"
            id="key"
            name="key"
            type="password"
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck="false"
            maxlength="500"
            ${ref(takeFocus)}
            aria-describedby=${problem ? "sign-in-problem" : nothing}
            aria-invalid=${refused ? "true" : "false"}
          />
        </div>
        <div role="alert" id="sign-in-problem">${problemLine(problem)}</div>
        <button class="button primary" type="submit" ?disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
      </form>
      <ul class="hint">
        <li>The server prints a link that signs you in when it starts, <code>playhead sign-in</code> another.</li>
        <li>The admin key lies in <code>secrets/admin_key</code> of the data directory.</li>
        <li><code>playhead apikey create --project KEY</code> makes a key for one project.</li>
      </ul>
    </section>`;
  }

  return { draw, close: store.close };
}

/** Once it is in the document. @param {Element | undefined} field */
function takeFocus(field) {
  queueMicrotask(() => field instanceof HTMLElement && field.focus());
}

/** @param {unknown} state */
function refusalOf(state) {
  const found = state && typeof state === "object" && "refusal" in state ? state.refusal : "";
  return typeof found === "string" && found ? sentence(found) : "";
}

/** What the server says, as people write it. @param {string} said */
function sentence(said) {
  const [first, ...rest] = said.replace(/`([^`]*)`/g, "\u201c$1\u201d");
  return `${first.toUpperCase()}${rest.join("")}.`;
}

/** @param {unknown} problem */
function reasonOf(problem) {
  if (!(problem instanceof ApiError)) throw problem;
  if (problem.status === 401) return "This key is not known. It may have been revoked.";
  if (problem.code === "cross_site") {
    return "The browser says that this form is not the server’s own. Open the server’s address directly.";
  }
  return problem.message;
}
