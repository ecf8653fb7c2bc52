/**
 * The moment in the address: `?t=ms`, read when a page opens and kept while it is watched.
 */

const EVERY_MS = 1_000;

/**
 * @param {string} search
 * @returns {number | null} ms of session time
 */
export function momentOf(search) {
  const text = new URLSearchParams(search).get("t") ?? "";
  return /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/**
 * The address of a moment; the rest of it stays.
 * @param {string} address
 * @param {number} position_ms
 */
export function withMoment(address, position_ms) {
  const url = new URL(address);
  if (position_ms >= 1) url.searchParams.set("t", String(Math.round(position_ms)));
  else url.searchParams.delete("t");
  return url.href;
}

/**
 * Writes moments into the address, at most once a second: browsers refuse more.
 * @param {(address: string) => void} [replace]
 */
export function createAddressKeeper(replace = (address) => history.replaceState(history.state, "", address)) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let latest = 0;

  function write() {
    timer = undefined;
    replace(withMoment(location.href, latest));
  }

  return {
    /** @param {number} position_ms */
    keep(position_ms) {
      latest = position_ms;
      timer ??= setTimeout(write, EVERY_MS);
    },
    close: () => clearTimeout(timer),
  };
}
