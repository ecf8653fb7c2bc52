/**
 * The open menu of filters, as state. Pure.
 *
 * @import { Suggestion } from "../types.js"
 * @import { Field } from "./fields.js"
 * @import { Range } from "./range.js"
 *
 * @typedef {object} Menu
 * @property {string} anchor  `add`, or the name of the chip that is changed
 * @property {Field | null} field  null: still to choose
 * @property {string | null} key  of metadata; null: still to choose
 * @property {string} text  what is typed
 * @property {readonly Suggestion[]} found
 * @property {boolean} asking
 * @property {string} problem
 * @property {number} active  index of the option that Enter takes
 * @property {Range} range  as typed
 */

/** At its first step. @param {string} anchor @returns {Menu} */
export function openMenu(anchor) {
  const range = { from: "", to: "" };
  return { anchor, field: null, key: null, text: "", found: [], asking: false, problem: "", active: 0, range };
}

/** The name under which values are asked for; null: none are. @param {Menu} menu */
export function askedFor({ field, key }) {
  if (!field || field.kind === "period" || field.kind === "duration") return null;
  if (field.kind !== "metadata") return field.name;
  return key === null ? "metadata" : `metadata.${key}`;
}

/** What is being chosen. @param {Menu} menu */
export function titleOf({ field, key }) {
  if (!field) return "Add a filter";
  return key === null ? field.label : `${field.label}: ${key}`;
}
