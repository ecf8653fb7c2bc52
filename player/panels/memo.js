// Work that is the same as last time is not done again.

/**
 * `make`, remembering its last call: the same arguments (by identity) give the same result.
 * @template {unknown[]} A
 * @template R
 * @param {(...given: A) => R} make
 * @returns {(...given: A) => R}
 */
export function lastCall(make) {
  /** @type {A | undefined} */
  let known;
  /** @type {R} */
  let result;
  return (...given) => {
    if (known === undefined || given.some((each, at) => !Object.is(each, known?.[at]))) {
      result = make(...given);
      known = given;
    }
    return result;
  };
}

/**
 * `make`, once per object.
 * @template {object} T
 * @template R
 * @param {(given: T) => R} make
 * @returns {(given: T) => R}
 */
export function perObject(make) {
  /** @type {WeakMap<T, {result: R}>} */
  const known = new WeakMap();
  return (given) => {
    let found = known.get(given);
    if (found === undefined) {
      found = { result: make(given) };
      known.set(given, found);
    }
    return found.result;
  };
}
