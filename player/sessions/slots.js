/**
 * Which of the rows in the page shows which session: one that is passed hands its elements to one that comes, since it
 * is dearer to make them than to fill them anew.
 */

/** @returns {(ids: readonly string[]) => number[]} a number for each id: the same for as long as it is asked for */
export function createSlots() {
  /** @type {Map<string, number>} in the order of the page */
  let taken = new Map();
  return (ids) => {
    const wanted = new Set(ids);
    const free = [...taken].filter(([id]) => !wanted.has(id)).map(([, slot]) => slot);
    const used = new Set(taken.values());
    let fresh = 0;
    const made = () => {
      while (used.has(fresh)) fresh += 1;
      used.add(fresh);
      return fresh;
    };
    taken = new Map(ids.map((id) => [id, taken.get(id) ?? free.shift() ?? made()]));
    return ids.map((id) => taken.get(id) ?? 0);
  };
}
