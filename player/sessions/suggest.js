/**
 * Values that exist, to choose from.
 *
 * @import { Api } from "../api.js"
 * @import { Suggestion } from "../types.js"
 * @import { Field } from "./fields.js"
 */

import { isAbort } from "../api.js";
import { valueText } from "./chips.js";

const MOST = 100;

/** Few values, whose names are not what is stored: all are read at once, and searched here by both. */
const NAMED = new Set(["issue", "platform", "country"]);

/** Code names, unless there are very many: the first are read beside those that begin with what is typed. */
const CODED = "device";

/** @typedef {Suggestion & {own?: boolean}} Choice  own: what is typed, as it is */

/**
 * @typedef {object} Suggest
 * @property {(project: string | null, field: string, typed: string) => Promise<Suggestion[] | null>} values
 *   null: a later question made this one pointless
 * @property {() => void} stop
 */

/**
 * @param {Api} api
 * @returns {Suggest}
 */
export function createSuggest(api) {
  let asking = new AbortController();

  /** @param {string | null} project @param {string} field @param {string} prefix @param {AbortSignal} signal */
  async function asked(project, field, prefix, signal) {
    const params = { project, field, prefix, limit: MOST };
    return (await api.get("/replays/suggestions", { params, signal })).values;
  }

  return {
    async values(project, field, typed) {
      asking.abort();
      const { signal } = (asking = new AbortController());
      const prefix = NAMED.has(field) ? "" : typed.trim();
      const prefixes = new Set(field === CODED ? [prefix, ""] : [prefix]);
      try {
        const answers = await Promise.all([...prefixes].map((each) => asked(project, field, each, signal)));
        return signal.aborted ? null : united(answers.flat());
      } catch (problem) {
        if (isAbort(problem) || signal.aborted) return null;
        throw problem;
      }
    },
    stop: () => asking.abort(),
  };
}

/** Each value once. @param {readonly Suggestion[]} values */
function united(values) {
  return [...new Map(values.map((each) => [each.value, each])).values()];
}

/** Whether further typing asks the server again. @param {string} field */
export function asksAsTyped(field) {
  return !NAMED.has(field);
}

/**
 * Those that fit what is typed, by stored value or by name. They may be the answer to what was typed before.
 *
 * @param {readonly Suggestion[]} values @param {string} field @param {string} typed
 */
export function matching(values, field, typed) {
  const wanted = typed.trim().toLowerCase();
  return values.filter(
    ({ value }) =>
      !(field === "os" && value === "IOS") && // also there as iOS
      (value.toLowerCase().startsWith(wanted) ||
      ((NAMED.has(field) || field === CODED) && valueText(field, value).toLowerCase().includes(wanted))),
  );
}

/**
 * What the field offers: what is typed first where a part is enough, last where it must be the whole.
 *
 * @param {Field} field @param {readonly Suggestion[]} found @param {string} typed
 * @returns {Choice[]}
 */
export function choices(field, found, typed) {
  const text = typed.trim();
  const fitting = matching(found, field.name, typed);
  if (!text) return fitting;
  const own = { value: text, own: true };
  if (field.kind === "contains") return [own, ...fitting];
  return fitting.some(({ value }) => value === text) ? fitting : [...fitting, own];
}
