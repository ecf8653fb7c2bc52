/** What the list of issues is asked for, kept in the address. */

import { ISSUE_KINDS } from "../draw/issue_kinds.js";

/**
 * @typedef {object} Asked
 * @property {string | null} project
 * @property {string} type  empty: every kind
 * @property {"newest" | "most_sessions"} sort
 */

export const SORTS = /** @type {const} */ ({ newest: "Seen last", most_sessions: "Most sessions" });

/** @param {string} search @returns {Asked} what is not known there is left out */
export function askedOf(search) {
  const query = new URLSearchParams(search);
  const type = query.get("type") ?? "";
  return {
    project: query.get("project"),
    type: Object.hasOwn(ISSUE_KINDS, type) ? type : "",
    sort: query.get("sort") === "most_sessions" ? "most_sessions" : "newest",
  };
}

/** @param {Asked} asked */
export function issuesAddress({ project, type, sort }) {
  const query = new URLSearchParams();
  if (project) query.set("project", project);
  if (type) query.set("type", type);
  if (sort !== "newest") query.set("sort", sort);
  const text = query.toString();
  return text ? `/issues?${text}` : "/issues";
}

/** A replay a little before it happened. @param {{session_id: string, started_ms: number, at_ms: number}} sample */
export function replayAddress({ session_id, started_ms, at_ms }) {
  const t = Math.max(0, at_ms - started_ms - LEAD_MS);
  return t ? `/replays/${session_id}?t=${t}` : `/replays/${session_id}`;
}

const LEAD_MS = 3_000;
