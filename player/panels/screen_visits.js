// Which screens were seen, when and for how long.

/**
 * `to` is where it was left, `ended` how that is known.
 * @typedef {{screen: string, view: string, from: number, to: number, ended: "left" | "next" | "background" | "end"}} Visit
 */
/** @typedef {{screen: string, visits: number, total_ms: number, first: number}} ScreenTime */
/** @typedef {import("./panel_types.js").Columns} Columns */
/** @typedef {{t: number, screen: string, view: string, visible: boolean}} Turn a view that came or went */

/** how Android tells of a screen: an event of this name, with `screen:view` */
const APPEARED = "viewAppeared";

/**
 * Visits by time. iOS tells of coming and going (message 98), Android of coming alone: there a visit lasts until the
 * next one. Both end when the app leaves the foreground, and with the session (spec 7).
 * @param {Record<string, Columns | undefined>} tracks
 * @param {{from: number, to: number}[]} background
 * @param {number} end_ms
 * @returns {Visit[]}
 */
export function visitsOf(tracks, background, end_ms) {
  const told = turnsOfViews(tracks.views);
  const turns = told.length > 0 ? told : turnsOfEvents(tracks.events);
  const goes = told.some((turn) => !turn.visible);
  /** @type {Visit[]} */
  const visits = [];
  /** @type {Map<string, Visit>} */
  const open = new Map();
  for (const turn of turns) {
    const name = goes ? `${turn.screen}\u0000${turn.view}` : "";
    const known = open.get(name);
    if (known) close(known, turn.t, turn.visible && goes ? "next" : goes ? "left" : "next");
    open.delete(name);
    if (!turn.visible) continue;
    const visit = {
      screen: turn.screen,
      view: turn.view,
      from: turn.t,
      to: end_ms,
      ended: /** @type {const} */ ("end"),
    };
    visits.push(visit);
    open.set(name, visit);
  }
  for (const visit of open.values()) close(visit, Math.max(end_ms, visit.from), "end");
  return visits.map((visit) => cutAtBackground(visit, background));
}

/**
 * Time per screen, longest first.
 * @param {Visit[]} visits
 * @returns {ScreenTime[]}
 */
export function timeByScreen(visits) {
  /** @type {Map<string, ScreenTime>} */
  const screens = new Map();
  for (const { screen, from, to } of visits) {
    const known = screens.get(screen) ?? { screen, visits: 0, total_ms: 0, first: from };
    screens.set(screen, { ...known, visits: known.visits + 1, total_ms: known.total_ms + (to - from) });
  }
  return [...screens.values()].sort((a, b) => b.total_ms - a.total_ms || a.first - b.first);
}

/**
 * @param {Visit} visit
 * @param {number} at_ms
 * @param {Visit["ended"]} ended
 */
function close(visit, at_ms, ended) {
  visit.to = at_ms;
  visit.ended = ended;
}

/**
 * @param {Visit} visit
 * @param {{from: number, to: number}[]} background
 * @returns {Visit}
 */
function cutAtBackground(visit, background) {
  const gone = background.find((span) => span.from >= visit.from && span.from < visit.to);
  return gone ? { ...visit, to: gone.from, ended: "background" } : visit;
}

/**
 * @param {Columns | undefined} views
 * @returns {Turn[]}
 */
function turnsOfViews(views) {
  return (views?.t ?? []).map((t, at) => ({
    t,
    screen: String(views?.screen[at] || views?.view_name[at] || ""),
    view: String(views?.view_name[at] ?? ""),
    visible: Boolean(views?.visible[at]),
  }));
}

/**
 * @param {Columns | undefined} events
 * @returns {Turn[]}
 */
function turnsOfEvents(events) {
  if (!events) return [];
  return events.t.flatMap((t, at) => {
    if (events.name[at] !== APPEARED) return [];
    const [screen, ...view] = String(events.payload[at]).split(":");
    return [{ t, screen, view: view.join(":"), visible: true }];
  });
}
