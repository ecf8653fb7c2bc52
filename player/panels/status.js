// What the status of a network call means.

/** @typedef {{id: string, label: string, color: string}} StatusClass */

/** By the first digit; 0: no answer. @type {StatusClass[]} */
export const statusClasses = [
  { id: "none", label: "No answer", color: "var(--bad)" },
  { id: "1xx", label: "1xx", color: "var(--text-2)" },
  { id: "2xx", label: "2xx", color: "var(--good)" },
  { id: "3xx", label: "3xx", color: "var(--c-swipe)" },
  { id: "4xx", label: "4xx", color: "var(--warn)" },
  { id: "5xx", label: "5xx", color: "var(--bad)" },
];
const OTHER = { id: "other", label: "Other", color: "var(--text-2)" };

/** @param {number} status */
export function statusClass(status) {
  if (status === 0) return statusClasses[0];
  return status < 100 ? OTHER : (statusClasses[Math.floor(status / 100)] ?? OTHER);
}

/** @param {number} status */
export function statusWords(status) {
  return status === 0 ? "none" : String(status);
}

/** Whether a call failed: no answer, or one of an error. @param {number} status */
export function isFailure(status) {
  return status === 0 || status >= 400;
}
