/**
 * Binary search in ascending columns of times.
 */

/**
 * Index of the last element at or before `t`; -1 if there is none.
 * @param {ArrayLike<number>} times ascending
 * @param {number} t
 */
export function lastAt(times, t) {
  return firstAfter(times, t) - 1;
}

/**
 * Index of the first element after `t`; `times.length` if there is none.
 * @param {ArrayLike<number>} times ascending
 * @param {number} t
 */
export function firstAfter(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Index of the first element at or after `t`; `times.length` if there is none.
 * @param {ArrayLike<number>} times ascending
 * @param {number} t
 */
export function firstFrom(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
