/**
 * One plain state object per page. It changes only through `set`; the page is drawn from it, at most once per frame.
 */

/**
 * @template {object} S
 * @typedef {object} Store
 * @property {Readonly<S>} state  the state as it is now; `set` replaces it, nobody changes it in place
 * @property {(patch: Partial<S>) => void} set  merges the patch; asks for a drawing when a value really differs
 * @property {() => void} close  no drawing from here on
 */

/**
 * The first drawing is asked for at once.
 *
 * @template {object} S
 * @param {S} initial
 * @param {(state: Readonly<S>) => void} draw
 * @param {(callback: () => void) => unknown} [schedule]  runs its callback once, later
 * @returns {Store<S>}
 */
export function createStore(initial, draw, schedule = requestAnimationFrame) {
  let state = { ...initial };
  let scheduled = false;
  let closed = false;

  function drawNow() {
    scheduled = false;
    if (!closed) draw(state);
  }

  function askForDrawing() {
    if (scheduled || closed) return;
    scheduled = true;
    schedule(drawNow);
  }

  askForDrawing();
  return {
    get state() {
      return state;
    },
    set(patch) {
      const names = /** @type {(keyof S)[]} */ (Object.keys(patch));
      if (names.every((name) => Object.is(state[name], patch[name]))) return;
      state = { ...state, ...patch };
      askForDrawing();
    },
    close() {
      closed = true;
    },
  };
}
