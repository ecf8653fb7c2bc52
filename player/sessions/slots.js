/**
 * Which of the rows in the page shows which session. After a jump the rows there are filled anew, which is cheaper than
 * to make them anew; while the list moves on steadily, a row that comes is made and one that goes is removed, which is
 * cheaper than to move one from end to end.
 */

/** @returns {(ids: readonly string[]) => number[]} a number for each id: the same for as long as it is asked for */
export function createSlots() {
  /** @type {Map<string, number>} in the order of the page */
  let taken = new Map();
  let fresh = 0;
  return (ids) => {
    const free = ids.some((id) => taken.has(id)) ? [] : [...taken.values()];
    taken = new Map(ids.map((id) => [id, taken.get(id) ?? free.shift() ?? fresh++]));
    return ids.map((id) => taken.get(id) ?? 0);
  };
}
