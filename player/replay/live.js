/**
 * Keeps a live session up to date: asks again while something comes, ever more seldom while nothing does.
 */

/** @typedef {"new" | "same" | "final" | "gone"} Outcome of one asking; after `final` and `gone` nobody asks again */

export const SOON_MS = 3_000;
export const SELDOM_MS = 15_000;
export const FAILED_MS = 60_000;

/** A long session costs time to send and to read: asking takes a tenth of the time at most. */
const WAIT_PER_TIME = 9;

/**
 * How long to wait before asking again.
 * @param {number} last_ms the wait before
 * @param {Outcome | "failed"} outcome
 * @param {number} [took_ms] how long the answer took
 */
export function nextWait(last_ms, outcome, took_ms = 0) {
  if (outcome === "new") return Math.min(Math.max(SOON_MS, took_ms * WAIT_PER_TIME), FAILED_MS);
  return Math.min(last_ms * 1.5, outcome === "failed" ? FAILED_MS : SELDOM_MS);
}

/**
 * Asks until the session is at rest or gone. While the page is hidden nobody asks.
 * @param {() => Promise<Outcome>} ask may throw: it failed, the server may be away
 * @param {(failed: boolean) => void} told after each asking
 * @returns {() => void} stops it
 */
export function keepUpToDate(ask, told) {
  let wait_ms = SOON_MS;
  let stopped = false;
  let asking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function again(after_ms = wait_ms) {
    clearTimeout(timer);
    if (!stopped && !asking && !document.hidden) timer = setTimeout(once, after_ms);
  }

  async function once() {
    asking = true;
    const began = performance.now();
    /** @type {Outcome | "failed"} */
    let outcome = "failed";
    try {
      outcome = await ask();
    } catch {
      // told below; the next asking may succeed
    }
    asking = false;
    if (stopped) return;
    told(outcome === "failed");
    if (outcome === "final" || outcome === "gone") stop();
    wait_ms = nextWait(wait_ms, outcome, performance.now() - began);
    again();
  }

  function onVisible() {
    again(0);
  }

  function stop() {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  }

  document.addEventListener("visibilitychange", onVisible);
  again();
  return stop;
}
