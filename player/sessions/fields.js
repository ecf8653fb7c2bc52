/**
 * What the session list can be filtered by: one row per field, in the order of the menu.
 *
 * @import { IconName } from "../draw/icons.js"
 */

/**
 * @typedef {object} Field
 * @property {string} name  query parameter, or for `period`, `duration` and `metadata` the group of them
 * @property {string} label
 * @property {IconName} icon
 * @property {"choice" | "contains" | "period" | "duration" | "metadata"} kind
 *   choice: equals one of the values that exist; contains: part of them
 * @property {string} [also]  further words by which the menu finds it
 */

/** @type {readonly Field[]} */
export const FIELDS = [
  { name: "issue", label: "Issue", icon: "issue", kind: "choice", also: "crash anr tap rage error frozen" },
  { name: "period", label: "Started", icon: "calendar", kind: "period", also: "date time when day" },
  { name: "duration", label: "Duration", icon: "clock", kind: "duration", also: "length longer shorter" },
  { name: "user_id", label: "User", icon: "user", kind: "choice", also: "id email name" },
  { name: "anonymous_id", label: "Anonymous user", icon: "user", kind: "choice", also: "guest" },
  { name: "view", label: "Screen", icon: "view", kind: "choice", also: "view page" },
  { name: "event", label: "Event", icon: "event", kind: "choice", also: "custom track" },
  { name: "url", label: "Network address", icon: "network", kind: "contains", also: "url call request api" },
  { name: "metadata", label: "Metadata", icon: "tag", kind: "metadata", also: "key value plan" },
  { name: "platform", label: "Platform", icon: "app", kind: "choice", also: "ios android" },
  { name: "device", label: "Device", icon: "device", kind: "choice", also: "model phone iphone pixel tablet" },
  { name: "os", label: "System", icon: "cpu", kind: "choice", also: "os version" },
  { name: "country", label: "Country", icon: "globe", kind: "choice", also: "place location" },
  { name: "app_version", label: "App version", icon: "app", kind: "choice", also: "release build revision" },
  { name: "tracker_version", label: "SDK version", icon: "code", kind: "choice", also: "tracker" },
  { name: "user_uuid", label: "Installation", icon: "key", kind: "choice", also: "uuid device" },
];

const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));

/** Parameters that hold one value of a choice or a part of one. */
export const PLAIN = FIELDS.filter(({ kind }) => kind === "choice" || kind === "contains").map(({ name }) => name);

/** @param {string} name @returns {Field} */
export function fieldNamed(name) {
  const field = BY_NAME.get(name);
  if (!field) throw new RangeError(`no field ${name}`);
  return field;
}

/** Fields whose label or words begin with what is typed. @param {string} typed */
export function fieldsLike(typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return FIELDS;
  const words = (/** @type {Field} */ { name, label, also }) =>
    `${label} ${name} ${also ?? ""}`.toLowerCase().split(/[\s_]+/);
  return FIELDS.filter(
    (field) => field.label.toLowerCase().includes(wanted) || words(field).some((word) => word.startsWith(wanted)),
  );
}
