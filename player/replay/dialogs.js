/**
 * Dialogs of the replay page: a link for others, files to keep, erasing.
 */

import { dialog } from "../draw/dialog.js";
import { fullTime } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { oneLine } from "../panels/safe_text.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { PREFIX } from "../api.js";

const DAY_S = 86_400;
const LIFETIMES = /** @type {[number, string][]} */ ([
  [DAY_S, "1 day"],
  [7 * DAY_S, "7 days"],
  [30 * DAY_S, "30 days"],
]);
const FILES = /** @type {[string, string, string][]} */ ([
  ["html", "Web page", "The replay in one file that opens in any browser, without a server"],
  ["mp4", "Video", "Pictures with touches, to attach to a ticket"],
  ["json", "JSON", "Every message, for programs"],
  ["text", "Text", "What happened, line by line"],
]);

/**
 * `link`: made just now; `busy`: asked for; `problem`: why it failed.
 * @typedef {{lifetime_s: number, link: {url: string, expires_ms: number} | null, copied: boolean, busy: boolean, problem: string}} Sharing
 */

/** @type {Sharing} */
export const NOT_SHARED = { lifetime_s: 7 * DAY_S, link: null, copied: false, busy: false, problem: "" };

/**
 * @param {Sharing} sharing
 * @param {{set: (patch: Partial<Sharing>) => void, make: () => void, copy: () => void, withdraw: () => void, close: () => void}} deeds
 */
export function shareDialog(sharing, deeds) {
  const { link, lifetime_s, copied, busy, problem } = sharing;
  return dialog(
    "Share this session",
    html`<p>Whoever has the link sees this session, and nothing else, without an account.</p>
      <div class="share-row">
        <label class="field"
          ><span class="label">Works for</span>
          <select
            class="select"
            ?disabled=${busy}
            @change=${(/** @type {Event} */ event) => deeds.set({ lifetime_s: Number(/** @type {HTMLSelectElement} */ (event.target).value) })}
          >
            ${LIFETIMES.map(([seconds, name]) => html`<option value=${seconds} ?selected=${seconds === lifetime_s}>${name}</option>`)}
          </select></label
        >
        <button class="button primary" type="button" ?disabled=${busy} @click=${deeds.make}>${icon("link")}Make a link</button>
      </div>
      ${link
        ? html`<div class="share-link">
            <input class="input" readonly aria-label="Link" .value=${link.url} @focus=${selectAll} />
            <button class="button" type="button" @click=${deeds.copy}>${icon(copied ? "check" : "copy")}${copied ? "Copied" : "Copy"}</button>
            <p class="hint">Until ${fullTime(link.expires_ms)}.</p>
          </div>`
        : nothing}
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      <p class="hint">
        <button class="button quiet" type="button" ?disabled=${busy} @click=${deeds.withdraw}>Withdraw all links to this session</button>
      </p>`,
    deeds.close,
  );
}

/** @param {string} session_id @param {() => void} close */
export function exportDialog(session_id, close) {
  return dialog(
    "Export this session",
    html`<ul class="files">
      ${FILES.map(
        ([format, name, meaning]) =>
          html`<li>
            <a class="file" href="${PREFIX}/replays/${session_id}/export?format=${format}" download>
              ${icon("download")}<span><strong>${name}</strong><span class="hint">${meaning}</span></span>
            </a>
          </li>`,
      )}
    </ul>`,
    close,
  );
}

/** @param {{who: string, busy: boolean, problem: string}} erasing @param {() => void} erase @param {() => void} close */
export function eraseDialog({ who, busy, problem }, erase, close) {
  return dialog(
    "Delete this session?",
    html`<p>Everything recorded in this session of <strong>${oneLine(who)}</strong> is erased: pictures, messages, events. This cannot be undone.</p>
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      <div class="dialog-deeds">
        <button class="button" type="button" autofocus @click=${closeIt}>Keep it</button>
        <button class="button danger" type="button" ?disabled=${busy} @click=${erase}>${icon("trash")}Delete</button>
      </div>`,
    close,
  );
}

/** @param {Event} event */
function closeIt(event) {
  if (event.target instanceof Element) event.target.closest("dialog")?.close();
}

/** @param {Event} event */
function selectAll(event) {
  /** @type {HTMLInputElement} */ (event.target).select();
}
