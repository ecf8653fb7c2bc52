/**
 * The state of the list page.
 *
 * @import { Extent } from "./extent.js"
 * @import { Menu } from "./menu.js"
 * @import { Filters } from "./filters.js"
 * @import { Loaded } from "./loader.js"
 * @import { Start } from "../first_run/view.js"
 */

import { START } from "../first_run/view.js";
import { nothingLoaded } from "./loader.js";

/**
 * @typedef {object} Own
 * @property {readonly string[]} wrong  what is wrong in the address
 * @property {string} text  of the search field, ahead of the filters while somebody types
 * @property {Menu | null} menu
 * @property {Extent} extent  rows that are drawn
 * @property {number} active  index of the row that the keyboard is at; -1: none
 * @property {boolean} narrow  rows are cards
 * @property {number} now_ms
 * @property {Start} start
 * @property {number} drawn  counts drawings that nothing else here asks for
 *
 * @typedef {Loaded & Own} State
 */

/**
 * @param {Filters} filters @param {readonly string[]} wrong @param {boolean} narrow
 * @returns {State}
 */
export function initialState(filters, wrong, narrow) {
  return {
    ...nothingLoaded(filters),
    wrong,
    text: filters.text,
    menu: null,
    extent: { first: 0, end: 0 },
    active: -1,
    narrow,
    now_ms: Date.now(),
    start: START,
    drawn: 0,
  };
}

/** What of it the way back brings again. @param {State} state @returns {Loaded} */
export function loadedPart({ filters, phase, rows, more, problem, fresh, many }) {
  return { filters, phase, rows, more, problem, fresh, many };
}
