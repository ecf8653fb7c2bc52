/**
 * The search field: what is typed becomes a filter after a moment, and one edit one step of the history.
 *
 * @import { Store } from "../store.js"
 * @import { Filters } from "./filters.js"
 * @import { State } from "./state.js"
 */

const PAUSE_MS = 250;

/**
 * @param {Store<State>} store
 * @param {(filters: Filters, options: {replace: boolean}) => void} apply
 */
export function createTyping(store, apply) {
  let pause = 0;
  let editing = false;

  function now() {
    clearTimeout(pause);
    const { text, filters } = store.state;
    if (text.trim() === filters.text) return;
    const replace = editing;
    editing = true;
    apply({ ...filters, text: text.trim() }, { replace });
  }

  return {
    /** @param {string} text */
    typed(text) {
      store.set({ text });
      clearTimeout(pause);
      pause = setTimeout(now, PAUSE_MS);
    },
    now,
    /** The address changed. @param {string} text  that it asks for */
    arrived(text) {
      clearTimeout(pause);
      if (text === store.state.text.trim()) return;
      editing = false;
      store.set({ text });
    },
    /** Something else was done: the next edit is a step of its own. */
    end() {
      clearTimeout(pause);
      editing = false;
    },
    close: () => clearTimeout(pause),
  };
}
