/**
 * Line icons on a grid of 24, drawn in the text's colour. `icon(name)` is decoration: the control that holds it says
 * what it does.
 *
 * @import { TemplateResult } from "../vendor/lit-html/lit-html.js"
 */

import { html, svg } from "../vendor/lit-html/lit-html.js";

const SHAPES = {
  // playing
  play: svg`<path class="solid" d="M8 5.3v13.4a.8.8 0 0 0 1.2.7l11-6.7a.8.8 0 0 0 0-1.4l-11-6.7A.8.8 0 0 0 8 5.3z"/>`,
  pause: svg`<path class="solid" d="M7 5h3.4v14H7zM13.6 5H17v14h-3.4z"/>`,
  replay: svg`<path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5L4 9.2M4 4.6v4.6h4.6"/>`,
  "step-back": svg`<path class="solid" d="M18 6v12l-9-6z"/><path d="M6.5 6v12"/>`,
  "step-forward": svg`<path class="solid" d="M6 6v12l9-6z"/><path d="M17.5 6v12"/>`,
  "issue-back": svg`<path d="M9.5 6 3.5 12l6 6"/><path d="M15.5 5.2 21.4 18H9.6z"/><path d="M15.5 10v3.4"/><circle class="solid" cx="15.5" cy="15.7" r=".6"/>`,
  "issue-forward": svg`<path d="m14.5 6 6 6-6 6"/><path d="M8.5 5.2 14.4 18H2.6z"/><path d="M8.5 10v3.4"/><circle class="solid" cx="8.5" cy="15.7" r=".6"/>`,
  skip: svg`<path class="solid" d="M4 6v12l7.5-6zM12.5 6v12l7.5-6z"/>`,
  speed: svg`<path d="M4.2 17.5a9 9 0 1 1 15.6 0M12 14.5l4-5"/><circle class="solid" cx="12" cy="14.5" r="1.4"/>`,
  fullscreen: svg`<path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5"/>`,
  "exit-fullscreen": svg`<path d="M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5"/>`,
  live: svg`<circle class="solid" cx="12" cy="12" r="3"/><path d="M7 7a7 7 0 0 0 0 10M17 7a7 7 0 0 1 0 10"/>`,
  // what happened
  tap: svg`<circle cx="12" cy="12" r="7.5"/><circle class="solid" cx="12" cy="12" r="2.6"/>`,
  swipe: svg`<circle cx="5.5" cy="12" r="2.5"/><path d="M10 12h10M16 8l4 4-4 4"/>`,
  input: svg`<rect x="3" y="7" width="18" height="10" rx="2"/><path d="M7 10v4M5.8 10h2.4M5.8 14h2.4"/>`,
  view: svg`<rect x="7" y="3" width="10" height="18" rx="2.2"/><path d="M10.5 18h3"/>`,
  network: svg`<path d="M8 19V5M4.5 8.5 8 5l3.5 3.5M16 5v14M12.5 15.5 16 19l3.5-3.5"/>`,
  graphql: svg`<path d="M12 3.5 19.4 7.8v8.4L12 20.5l-7.4-4.3V7.8zM12 3.5 4.6 16.2h14.8z"/>`,
  log: svg`<path d="M5 6.5h14M5 12h14M5 17.5h8.5"/>`,
  error: svg`<circle cx="12" cy="12" r="8.2"/><path d="M9.2 9.2l5.6 5.6M14.8 9.2l-5.6 5.6"/>`,
  crash: svg`<path d="M12 3.6 21 19.4H3z"/><path d="M12 10v4.4"/><circle class="solid" cx="12" cy="16.9" r=".7"/>`,
  issue: svg`<circle cx="12" cy="12" r="8.2"/><path d="M12 7.8v5"/><circle class="solid" cx="12" cy="16" r=".8"/>`,
  rage: svg`<circle class="solid" cx="12" cy="12" r="2.2"/><path d="M12 3v4M12 17v4M3 12h4M17 12h4M5.6 5.6l2.9 2.9M15.5 15.5l2.9 2.9M18.4 5.6l-2.9 2.9M8.5 15.5l-2.9 2.9"/>`,
  frozen: svg`<circle cx="12" cy="12" r="8.2"/><path d="M9.5 9v6M14.5 9v6"/>`,
  slow: svg`<path d="M7 3.5h10M7 20.5h10M8 3.5v3.2l4 5.3 4-5.3V3.5M8 20.5v-3.2l4-5.3 4 5.3v3.2"/>`,
  event: svg`<path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12z"/>`,
  // measures
  performance: svg`<path d="M4 19.5V4.5M4 19.5h16M7.5 15l3.5-4.5 3 2.5 5-7"/>`,
  cpu: svg`<rect x="7" y="7" width="10" height="10" rx="1.5"/><path d="M10 3.5V7M14 3.5V7M10 17v3.5M14 17v3.5M3.5 10H7M3.5 14H7M17 10h3.5M17 14h3.5"/>`,
  memory: svg`<rect x="3.5" y="7.5" width="17" height="8" rx="1.2"/><path d="M8 10.5v2M12 10.5v2M16 10.5v2M6.5 15.5V18M12 15.5V18M17.5 15.5V18"/>`,
  battery: svg`<rect x="3" y="8" width="15.5" height="8" rx="1.8"/><path d="M21 11v2M6 11v2M9 11v2"/>`,
  thermal: svg`<path d="M14 13.6V6a2 2 0 1 0-4 0v7.6a4 4 0 1 0 4 0zM12 10v7"/>`,
  // who and where
  user: svg`<circle cx="12" cy="8" r="3.8"/><path d="M4.8 20a7.3 7.3 0 0 1 14.4 0"/>`,
  phone: svg`<rect x="7" y="3" width="10" height="18" rx="2.2"/><path d="M10.8 18h2.4"/>`,
  tablet: svg`<rect x="4.5" y="3" width="15" height="18" rx="2.2"/><path d="M10.8 18h2.4"/>`,
  device: svg`<rect x="7" y="3" width="10" height="18" rx="2.2"/><path d="M10.8 5.8h2.4"/>`,
  globe: svg`<circle cx="12" cy="12" r="8.2"/><path d="M3.8 12h16.4M12 3.8c5 5 5 11.4 0 16.4M12 3.8c-5 5-5 11.4 0 16.4"/>`,
  app: svg`<rect x="4" y="4" width="16" height="16" rx="4"/><path d="M9 15.5 12 8.5l3 7M10 13.2h4"/>`,
  tag: svg`<path d="M4 4.5h7.2l8.5 8.4-6.9 6.9L4 11.4z"/><circle class="solid" cx="8.2" cy="8.6" r="1.2"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.2"/><path d="M12 7.2V12l3.2 2"/>`,
  calendar: svg`<rect x="4" y="5.5" width="16" height="14.5" rx="2"/><path d="M4 10h16M8.5 3.5v4M15.5 3.5v4"/>`,
  // doing things
  search: svg`<circle cx="10.8" cy="10.8" r="6.3"/><path d="m15.5 15.5 4.7 4.7"/>`,
  filter: svg`<path d="M4 6.5h16M7 12h10M10 17.5h4"/>`,
  sort: svg`<path d="M8 5v14M4.8 15.8 8 19l3.2-3.2M16 19V5M12.8 8.2 16 5l3.2 3.2"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
  copy: svg`<rect x="8.5" y="8.5" width="11" height="11" rx="2"/><path d="M5.5 15.5h-1v-9a2 2 0 0 1 2-2h9v1"/>`,
  download: svg`<path d="M12 4v11M7.5 10.8 12 15.3l4.5-4.5M4.5 19.5h15"/>`,
  share: svg`<path d="M12 15V4M8 7.6 12 3.7l4 3.9M6.5 11.5h-2v8h15v-8h-2"/>`,
  link: svg`<path d="M10 14a4 4 0 0 0 5.8.2l3-3a4 4 0 0 0-5.7-5.7l-1.3 1.3M14 10a4 4 0 0 0-5.8-.2l-3 3a4 4 0 0 0 5.7 5.7l1.3-1.3"/>`,
  external: svg`<path d="M13.5 4.5h6v6M19.5 4.5 11 13M10 5.5H4.5v14h14V14"/>`,
  trash: svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.5 10.5v5.5M13.5 10.5v5.5"/>`,
  refresh: svg`<path d="M19.5 12a7.5 7.5 0 1 1-2.4-5.5L20 9.2M20 4.6v4.6h-4.6"/>`,
  eye: svg`<path d="M2.8 12C6.5 5.6 17.5 5.6 21.2 12c-3.7 6.4-14.7 6.4-18.4 0z"/><circle cx="12" cy="12" r="2.8"/>`,
  "eye-off": svg`<path d="M2.8 12C6.5 5.6 17.5 5.6 21.2 12c-3.7 6.4-14.7 6.4-18.4 0zM4.5 19.5l15-15"/>`,
  info: svg`<circle cx="12" cy="12" r="8.2"/><path d="M12 11.2v5"/><circle class="solid" cx="12" cy="8" r=".8"/>`,
  help: svg`<circle cx="12" cy="12" r="8.2"/><path d="M9.6 9.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2.9-1.2 1.8"/><circle class="solid" cx="12" cy="16.6" r=".8"/>`,
  key: svg`<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8-8M15.5 8l3 3"/>`,
  lock: svg`<rect x="5" y="10.5" width="14" height="9.5" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>`,
  "sign-out": svg`<path d="M14 4.5H5v15h9M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5"/>`,
  code: svg`<path d="m8.5 7-5 5 5 5M15.5 7l5 5-5 5"/>`,
  list: svg`<path d="M9 6.5h11M9 12h11M9 17.5h11"/><circle class="solid" cx="5" cy="6.5" r="1.1"/><circle class="solid" cx="5" cy="12" r="1.1"/><circle class="solid" cx="5" cy="17.5" r="1.1"/>`,
  sun: svg`<circle cx="12" cy="12" r="3.8"/><path d="M12 2.8v2.4M12 18.8v2.4M2.8 12h2.4M18.8 12h2.4M5.5 5.5l1.7 1.7M16.8 16.8l1.7 1.7M18.5 5.5l-1.7 1.7M7.2 16.8l-1.7 1.7"/>`,
  moon: svg`<path d="M19.8 14.6A8.3 8.3 0 0 1 9.4 4.2a8.3 8.3 0 1 0 10.4 10.4z"/>`,
  contrast: svg`<circle cx="12" cy="12" r="8.2"/><path class="solid" d="M12 3.8a8.2 8.2 0 0 1 0 16.4z"/>`,
  "chevron-up": svg`<path d="m6 14.8 6-6 6 6"/>`,
  "chevron-down": svg`<path d="m6 9.2 6 6 6-6"/>`,
  "chevron-left": svg`<path d="m14.8 6-6 6 6 6"/>`,
  "chevron-right": svg`<path d="m9.2 6 6 6-6 6"/>`,
  "arrow-left": svg`<path d="M20 12H4.5M11 5.5 4.5 12l6.5 6.5"/>`,
  "arrow-right": svg`<path d="M4 12h15.5M13 5.5l6.5 6.5-6.5 6.5"/>`,
  "arrow-down": svg`<path d="M12 4v15.5M5.5 13l6.5 6.5 6.5-6.5"/>`,
  "arrow-up": svg`<path d="M12 20V4.5M5.5 11 12 4.5l6.5 6.5"/>`,
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @type {Map<IconName, TemplateResult>} */
const drawn = new Map();

/**
 * @param {IconName} name
 * @returns {TemplateResult}
 */
export function icon(name) {
  let found = drawn.get(name);
  if (!found) {
    found = html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[name]}</svg>`;
    drawn.set(name, found);
  }
  return found;
}
