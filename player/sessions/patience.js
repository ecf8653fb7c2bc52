/**
 * Asks again and again, less often the longer nothing comes of it, and only while somebody looks at the tab.
 *
 * @typedef {object} Patient
 * @property {() => void} restart  soon again, as at first
 * @property {() => void} stop
 */

/** @typedef {{first_ms: number, last_ms: number}} Pace  from the wait of the start to the longest one */

/**
 * How long to wait after a try.
 *
 * @param {number} wait_ms  the wait before it
 * @param {boolean} found  whether something came of it
 * @param {Pace} pace
 */
export function nextWait(wait_ms, found, { first_ms, last_ms }) {
  return found ? first_ms : Math.min(last_ms, Math.round(wait_ms * 1.5));
}

/**
 * @param {() => Promise<boolean>} ask  whether something came of it; throws when it could not be asked
 * @param {() => Pace} pace
 * @returns {Patient}
 */
export function patient(ask, pace) {
  let wait_ms = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let turn = 0;

  async function tryNow() {
    const mine = ++turn;
    clearTimeout(timer);
    if (document.hidden) return; // taken up when the tab is looked at
    const found = await ask().catch(() => false);
    if (mine !== turn) return;
    wait_ms = nextWait(wait_ms, found, pace());
    timer = setTimeout(tryNow, wait_ms);
  }

  function looked() {
    if (!document.hidden && turn) void tryNow();
  }

  document.addEventListener("visibilitychange", looked);
  return {
    restart() {
      turn += 1;
      wait_ms = pace().first_ms;
      clearTimeout(timer);
      timer = setTimeout(tryNow, wait_ms);
    },
    stop() {
      turn += 1;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", looked);
    },
  };
}
