/**
 * Which rows may load their picture: those that the list came to rest at. Rows that fly past while somebody scrolls
 * ask for nothing.
 */

const REST_MS = 120;
const MAX_KNOWN = 5000;

/** @param {() => readonly string[]} near  session ids near the window now @param {() => void} changed */
export function createPictures(near, changed) {
  let known = new Set();
  let timer = 0;
  let hurried_ms = 0;

  function rest() {
    if (known.size > MAX_KNOWN) known = new Set();
    for (const id of near()) known.add(id);
    changed();
  }

  return {
    /** @param {string} id */
    may: (id) => known.has(id),
    /** The window moved over the list. */
    moved() {
      clearTimeout(timer);
      timer = setTimeout(rest, performance.now() - hurried_ms < REST_MS ? REST_MS : 0);
      hurried_ms = performance.now();
    },
    /** All near ones at once. */
    rest,
    stop: () => clearTimeout(timer),
  };
}
