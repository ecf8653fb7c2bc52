/**
 * The filters that are set, as words. Pure.
 *
 * @import { Filters } from "./filters.js"
 * @import { Field } from "./fields.js"
 */

import { androidName } from "../draw/android_names.js";
import { country, dateTime, duration } from "../draw/format.js";
import { issueNamed } from "../draw/issue_kinds.js";
import { fieldNamed, PLAIN } from "./fields.js";
import { PERIODS, withDuration, withSpan, withValue } from "./filters.js";

/**
 * @typedef {object} Chip
 * @property {string} name  what it is about: a parameter, `period`, `duration` or `metadata.KEY`
 * @property {Field} field
 * @property {string} label
 * @property {string} relation  between label and value
 * @property {string} value
 * @property {Filters} without  the filters if it is removed
 */

/** @param {Filters} filters @returns {Chip[]} */
export function chipsOf(filters) {
  /** @type {Chip[]} */
  const chips = [];
  const { period, from_ms, to_ms, min_duration_ms: least, max_duration_ms: most } = filters;
  if (period !== null || from_ms !== null || to_ms !== null) {
    chips.push(chip("period", "", spanText(filters), withSpan(filters, {})));
  }
  if (least !== null || most !== null) {
    chips.push(chip("duration", "", durationText(least, most), withDuration(filters, null, null)));
  }
  for (const name of PLAIN) {
    const value = filters.values[name];
    if (!value) continue;
    const relation = fieldNamed(name).kind === "contains" ? "contains" : "is";
    chips.push(chip(name, relation, valueText(name, value), withValue(filters, name, "")));
  }
  for (const [key, value] of Object.entries(filters.metadata)) {
    const name = `metadata.${key}`;
    chips.push({
      name,
      field: fieldNamed("metadata"),
      label: key,
      relation: "is",
      value,
      without: withValue(filters, name, ""),
    });
  }
  return chips;
}

/**
 * @param {string} name
 * @param {string} relation
 * @param {string} value
 * @param {Filters} without
 * @returns {Chip}
 */
function chip(name, relation, value, without) {
  const field = fieldNamed(name);
  return { name, field, label: field.label, relation, value, without };
}

/** A value of a field as people know it. @param {string} name @param {string} value */
export function valueText(name, value) {
  if (name === "issue") return issueNamed(value).label;
  if (name === "country") return country(value) || "Unknown";
  if (name === "platform") return value === "ios" ? "iOS" : value === "android" ? "Android" : value;
  if (name === "os") return value.replace(/^IOS\b/, "iOS");
  if (name === "device" && androidName(value) !== value) return `${androidName(value)} (${value})`;
  return value;
}

/** @param {Filters} filters */
function spanText({ period, from_ms, to_ms }) {
  const named = period === null ? undefined : PERIODS.get(period);
  if (named) return named.label.toLowerCase();
  if (from_ms !== null && to_ms !== null) return `${dateTime(from_ms)} to ${dateTime(to_ms)}`;
  return from_ms !== null ? `after ${dateTime(from_ms)}` : `before ${dateTime(to_ms ?? 0)}`;
}

/** @param {number | null} least @param {number | null} most */
function durationText(least, most) {
  if (least !== null && most !== null) return `${duration(least)} to ${duration(most)}`;
  return least !== null ? `at least ${duration(least)}` : `at most ${duration(most ?? 0)}`;
}
