/**
 * The filters of the list, to and from the address. Pure. The address names them as the API does, plus `period`, a
 * length of time before now (`24h`).
 */

import { PLAIN } from "./fields.js";

/**
 * @typedef {"newest" | "oldest" | "longest" | "shortest" | "most_events" | "fewest_events"} Sort
 *
 * @typedef {object} Filters
 * @property {string | null} project  key; null: every project
 * @property {string} text
 * @property {Readonly<Record<string, string>>} values  by parameter (fields.js: PLAIN)
 * @property {Readonly<Record<string, string>>} metadata  by key
 * @property {string | null} period  a name of PERIODS; goes before from_ms and to_ms
 * @property {number | null} from_ms
 * @property {number | null} to_ms
 * @property {number | null} min_duration_ms
 * @property {number | null} max_duration_ms
 * @property {Sort} sort
 *
 * @typedef {{values: Record<string, string>, metadata: Record<string, string>}} Collected
 * @typedef {{-readonly [K in keyof Filters]: Filters[K]} & Collected} Draft  filters while they are read
 */

const MAX_MS = 2 ** 53;
const MAX_TEXT = 1000;
const HOUR = 3_600_000;

/** @type {readonly [Sort, string][]} */
export const SORTS = [
  ["newest", "Newest first"],
  ["oldest", "Oldest first"],
  ["longest", "Longest first"],
  ["shortest", "Shortest first"],
  ["most_events", "Most events"],
  ["fewest_events", "Fewest events"],
];

/** @type {ReadonlyMap<string, {label: string, ms: number}>} */
export const PERIODS = new Map([
  ["1h", { label: "Last hour", ms: HOUR }],
  ["24h", { label: "Last 24 hours", ms: 24 * HOUR }],
  ["7d", { label: "Last 7 days", ms: 7 * 24 * HOUR }],
  ["30d", { label: "Last 30 days", ms: 30 * 24 * HOUR }],
  ["90d", { label: "Last 90 days", ms: 90 * 24 * HOUR }],
]);

/** @type {Filters} */
export const NO_FILTERS = Object.freeze({
  project: null,
  text: "",
  values: {},
  metadata: {},
  period: null,
  from_ms: null,
  to_ms: null,
  min_duration_ms: null,
  max_duration_ms: null,
  sort: "newest",
});

const NUMBERS = /** @type {const} */ (["from_ms", "to_ms", "min_duration_ms", "max_duration_ms"]);

/**
 * Reads the query of the address. What is wrong in it is left out and said.
 *
 * @param {string} search
 * @returns {{filters: Filters, problems: string[]}}
 */
export function parseFilters(search) {
  /** @type {Draft} */
  const filters = { ...NO_FILTERS, values: {}, metadata: {} };
  /** @type {string[]} */
  const problems = [];
  const seen = new Set();
  for (const [name, value] of new URLSearchParams(search)) {
    if (seen.has(name)) problems.push(`${name} is given more than once; the first one counts`);
    else if (value.length > MAX_TEXT) problems.push(`${name} is longer than ${MAX_TEXT} characters`);
    else if (value !== "") {
      const problem = read(filters, name, value);
      if (problem) problems.push(problem);
    }
    seen.add(name);
  }
  const { from_ms, to_ms, min_duration_ms, max_duration_ms } = filters;
  if (from_ms !== null && to_ms !== null && from_ms > to_ms)
    problems.push("from_ms lies after to_ms: nothing can match");
  if (min_duration_ms !== null && max_duration_ms !== null && min_duration_ms > max_duration_ms) {
    problems.push("min_duration_ms is above max_duration_ms: nothing can match");
  }
  return { filters, problems };
}

/**
 * @param {Draft} filters
 * @param {string} name @param {string} value
 * @returns {string | undefined} what is wrong
 */
function read(filters, name, value) {
  if (name === "project") filters.project = value;
  else if (name === "text") filters.text = value;
  else if (PLAIN.includes(name)) filters.values[name] = value;
  else if (name.startsWith("metadata.") && name.length > "metadata.".length) {
    Object.defineProperty(filters.metadata, name.slice("metadata.".length), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else if (name === "sort") {
    const found = SORTS.find(([sort]) => sort === value)?.[0];
    if (!found) return `sort cannot be “${value}”; it is one of ${SORTS.map(([sort]) => sort).join(", ")}`;
    filters.sort = found;
  } else if (name === "period") {
    if (!PERIODS.has(value)) return `period cannot be “${value}”; it is one of ${[...PERIODS.keys()].join(", ")}`;
    filters.period = value;
  } else {
    const number = NUMBERS.find((each) => each === name);
    if (!number) return `${name} is no filter`;
    const ms = /^-?\d{1,16}$/.test(value) ? Number(value) : NaN;
    const least = number.endsWith("duration_ms") ? 0 : -MAX_MS;
    if (!(ms >= least && ms <= MAX_MS)) return `${name} cannot be “${value}”; it is a whole number of milliseconds`;
    filters[number] = ms;
  }
  return undefined;
}

/**
 * The query that says this, without `?`; empty for no filters.
 *
 * @param {Filters} filters
 */
export function searchOf(filters) {
  const query = new URLSearchParams();
  if (filters.project) query.set("project", filters.project);
  if (filters.text) query.set("text", filters.text);
  for (const name of PLAIN) if (filters.values[name]) query.set(name, filters.values[name] ?? "");
  for (const [key, value] of Object.entries(filters.metadata)) query.set(`metadata.${key}`, value);
  if (filters.period) query.set("period", filters.period);
  for (const name of NUMBERS) if (filters[name] !== null) query.set(name, String(filters[name]));
  if (filters.sort !== "newest") query.set("sort", filters.sort);
  return query.toString();
}

/** The list's address. @param {Filters} filters */
export function listAddress(filters) {
  const search = searchOf(filters);
  return search ? `/?${search}` : "/";
}

/**
 * The API's parameters.
 *
 * @param {Filters} filters
 * @param {number} now_ms  from where a period reaches back
 * @returns {Record<string, string | number>}
 */
export function apiParams(filters, now_ms) {
  const { period, ...rest } = filters;
  const reach = period ? PERIODS.get(period)?.ms : undefined;
  const dated = reach === undefined ? filters : { ...rest, period: null, from_ms: now_ms - reach, to_ms: null };
  return Object.fromEntries(new URLSearchParams(searchOf(dated)));
}

/** Whether anything but project and order is asked for. @param {Filters} filters */
export function isFiltered(filters) {
  return searchOf({ ...filters, project: null, sort: "newest" }) !== "";
}

/** Nothing asked for but project and order. @param {Filters} filters @returns {Filters} */
export function cleared({ project, sort }) {
  return { ...NO_FILTERS, project, sort };
}

/**
 * One filter's value set, or with an empty one removed.
 *
 * @param {Filters} filters @param {string} name  of PLAIN, or `metadata.KEY` @param {string} value
 * @returns {Filters}
 */
export function withValue(filters, name, value) {
  const group = name.startsWith("metadata.") ? "metadata" : "values";
  const key = group === "metadata" ? name.slice("metadata.".length) : name;
  const others = Object.entries(filters[group]).filter(([each]) => each !== key);
  return { ...filters, [group]: Object.fromEntries(value ? [...others, [key, value]] : others) };
}

/**
 * @param {Filters} filters
 * @param {{period?: string | null, from_ms?: number | null, to_ms?: number | null}} span  none: started at any time
 * @returns {Filters}
 */
export function withSpan(filters, { period = null, from_ms = null, to_ms = null }) {
  return { ...filters, period, from_ms, to_ms };
}

/**
 * @param {Filters} filters
 * @param {number | null} min_duration_ms
 * @param {number | null} max_duration_ms
 * @returns {Filters}
 */
export function withDuration(filters, min_duration_ms, max_duration_ms) {
  return { ...filters, min_duration_ms, max_duration_ms };
}
