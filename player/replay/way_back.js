/**
 * The way back to the list, of sessions or of issues, as it was left: with its filters, and by the browser's history also where it was scrolled to.
 *
 * @import { Context } from "../types.js"
 */

import { listingOf, match } from "../router.js";

const KEY = "playhead.list";

/**
 * @param {Context} context
 * @returns {{address: (project: string | null | undefined) => string, followed: (event: MouseEvent) => void}}
 *   address: of the list; followed: for a click on a link to it
 */
export function wayBack({ before }) {
  const fromList = before !== null && listingOf(match(new URL(before, location.origin).pathname)) !== null;
  if (fromList) keep(before);
  /** @type {string | null | undefined} undefined: not looked up yet, which takes long the first time */
  let list = fromList ? before : undefined;
  return {
    address: (project) => (list === undefined ? (list = kept()) : list) ?? (project ? `/?project=${encodeURIComponent(project)}` : "/"),
    followed(event) {
      const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
      if (!fromList || !plain) return;
      event.preventDefault();
      history.back();
    },
  };
}

/** @param {string} address */
function keep(address) {
  try {
    sessionStorage.setItem(KEY, address);
  } catch {
    // forbidden: the way back then leads to the whole list
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
