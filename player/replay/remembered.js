/**
 * How the viewer set the page up, kept in this browser. Without storage it is forgotten, nothing else.
 */

const PREFIX = "playhead.replay.";

/**
 * @param {string} name
 * @param {string} otherwise
 */
export function recall(name, otherwise) {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @param {string} name @param {string | number | boolean} value */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, String(value));
  } catch {
    // full or forbidden
  }
}
