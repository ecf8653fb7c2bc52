/** The project that was looked at last, in this browser. */

const KEY = "playhead.project";

/** @param {readonly string[]} known  keys of those there are @returns {string | undefined} the last one, else the first */
export function lastProject(known) {
  try {
    const last = localStorage.getItem(KEY);
    return known.find((key) => key === last) ?? known[0];
  } catch {
    return known[0]; // storage is switched off
  }
}

/** @param {string} key */
export function keepProject(key) {
  try {
    localStorage.setItem(KEY, key);
  } catch {
    return; // storage is switched off: the first one it is, the next time
  }
}
