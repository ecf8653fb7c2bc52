/** Where to go once signed in: kept in `?next=` of the sign-in page; only pages of ours are gone to. */

import { match } from "./router.js";

const HOME = "/";

/**
 * @param {{pathname: string, search: string}} from  where signing in was asked for
 * @returns {string} address of the sign-in page
 */
export function signInAddress({ pathname, search }) {
  const target = pathname + search;
  return target === HOME || match(pathname)?.page === "sign_in"
    ? "/sign-in"
    : `/sign-in?next=${encodeURIComponent(target)}`;
}

/**
 * @param {string} search  of the sign-in page
 * @param {string} origin  of this server
 * @returns {string} path and query of one of our pages
 */
export function targetOf(search, origin) {
  const wanted = new URLSearchParams(search).get("next");
  if (!wanted) return HOME;
  try {
    const url = new URL(wanted, origin);
    const page = url.origin === origin ? match(url.pathname)?.page : undefined;
    return page && page !== "sign_in" ? url.pathname + url.search : HOME;
  } catch {
    return HOME;
  }
}
