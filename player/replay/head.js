/**
 * Above the stage: whose session it is, when, on what, and what can be done with it.
 *
 * @import { Me } from "../types.js"
 * @import { Replay } from "./data.js"
 */

import { duration } from "../draw/format.js";
import { icon } from "../draw/icons.js";
import { appVersion, deviceName, fullPlace, system, times, userName } from "../sessions/describe.js";
import { issueNamed } from "../draw/issue_kinds.js";
import { oneLine } from "../panels/safe_text.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/**
 * @typedef {object} HeadDeeds
 * @property {(t: number) => void} seek
 * @property {(event: MouseEvent) => void} back
 * @property {() => void} share
 * @property {() => void} download
 * @property {() => void} erase
 */

/**
 * @param {Replay} replay
 * @param {{me: Me, back: string, away: boolean}} view away: news of a live session cannot be had
 * @param {HeadDeeds} deeds
 */
export function head(replay, { me, back, away }, deeds) {
  const { meta } = replay;
  const when = times(meta, Date.now());
  const guest = me.role === "share";
  const writes = me.admin || me.role === "write";
  const who = oneLine(userName(meta));
  const facts = [deviceName(meta), system(meta), appVersion(meta) && `App ${appVersion(meta)}`, fullPlace(meta)];
  return html`<header class="replay-head">
    ${guest ? nothing : html`<a class="button quiet square" href=${back} @click=${deeds.back} aria-label="Back to the list" title="Back to the list">${icon("arrow-left")}</a>`}
    <div class="who">
      <h1 class="ellipsis" title=${who}>${who}</h1>
      <p class="muted ellipsis">
        <time title=${when.detail}>${when.own}</time>, ${duration(replay.duration_ms)}
        ${facts.filter(Boolean).map((fact) => html`<span class="fact">${oneLine(fact, 80)}</span>`)}
      </p>
    </div>
    <div class="head-marks">
      ${replay.live ? html`<span class="badge good">${icon("live")}${away ? "Live, server not reached" : "Live"}</span>` : nothing}
      ${meta.continues && !guest
        ? html`<a class="badge" href="/replays/${meta.continues}">${icon("arrow-left")}Earlier session</a>`
        : nothing}
      ${issues(replay, deeds)}
    </div>
    <div class="head-deeds">
      ${writes ? html`<button class="button" type="button" aria-label="Share" @click=${deeds.share}>${icon("share")}<span class="wide-only">Share</span></button>` : nothing}
      <button class="button" type="button" aria-label="Export" @click=${deeds.download}>${icon("download")}<span class="wide-only">Export</span></button>
      ${writes
        ? html`<button class="button quiet square" type="button" aria-label="Delete this session" title="Delete this session" @click=${deeds.erase}>
            ${icon("trash")}
          </button>`
        : nothing}
    </div>
  </header>`;
}

/**
 * One badge per kind of issue; it leads to the first of them.
 * @param {Replay} replay
 * @param {HeadDeeds} deeds
 */
function issues({ issues: all }, deeds) {
  const types = [...new Set(all.map(({ type }) => type))];
  return types.map((type) => {
    const { label, icon: name, tone } = issueNamed(type);
    const found = all.filter((issue) => issue.type === type);
    const go = () => deeds.seek(found[0]?.t ?? 0);
    return html`<button class="badge ${tone}" type="button" title=${oneLine(found[0]?.title ?? label)} @click=${go}>
      ${icon(name)}${label}${found.length > 1 ? html` <span class="numbers">${found.length}</span>` : nothing}
    </button>`;
  });
}
