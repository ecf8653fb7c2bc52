/**
 * Paths to pages, links without a reload, the browser's history.
 *
 * @typedef {{page: "sessions" | "issues" | "replay" | "sign_in", params: Record<string, string>}} Route
 */

/** @type {[RegExp, Route["page"], string[]][]} */
const ROUTES = [
  [/^\/$/, "sessions", []],
  [/^\/issues\/?$/, "issues", []],
  [/^\/sign-in\/?$/, "sign_in", []],
  [/^\/replays\/([0-9]{1,19})\/?$/, "replay", ["session_id"]],
];

/**
 * @param {string} path
 * @returns {Route | null} null: no page has this address
 */
export function match(path) {
  for (const [pattern, page, names] of ROUTES) {
    const found = pattern.exec(path);
    if (found) return { page, params: Object.fromEntries(names.map((name, i) => [name, found[i + 1] ?? ""])) };
  }
  return null;
}

/**
 * A project's lists.
 *
 * @typedef {"sessions" | "issues"} Listing
 * @type {Record<Listing, [path: string, name: string]>}
 */
export const LISTINGS = { sessions: ["/", "Sessions"], issues: ["/issues", "Issues"] };

/** Where a project's list is. @param {Listing | null} listing @param {string | null} project */
export function addressOf(listing, project) {
  const [path] = LISTINGS[listing ?? "sessions"];
  return project ? `${path}?project=${encodeURIComponent(project)}` : path;
}

/**
 * Which list a page is.
 *
 * @param {Route | null} route
 * @returns {Listing | null}
 */
export function listingOf(route) {
  return route?.page === "sessions" || route?.page === "issues" ? route.page : null;
}

/**
 * @typedef {object} Router
 * @property {(url: string, options?: {replace?: boolean, state?: unknown}) => void} navigate
 * @property {() => void} stop
 */

/**
 * Calls `arrived` on every change of address that this tab makes: links, `navigate`, back and forward.
 *
 * @param {() => void} arrived
 * @returns {Router}
 */
export function createRouter(arrived) {
  /** @param {MouseEvent} event */
  function clicked(event) {
    const url = followed(event);
    if (!url) return;
    event.preventDefault();
    navigate(url);
  }

  /** @param {string} url @param {{replace?: boolean, state?: unknown}} options */
  function navigate(url, { replace = false, state = null } = {}) {
    if (replace) history.replaceState(state, "", url);
    else history.pushState(state, "", url);
    arrived();
  }

  history.scrollRestoration = "manual";
  document.addEventListener("click", clicked);
  addEventListener("popstate", arrived);
  return {
    navigate,
    stop() {
      document.removeEventListener("click", clicked);
      removeEventListener("popstate", arrived);
    },
  };
}

/**
 * The address of one of our pages that a plain click on a link asks for; none for everything else
 * (other buttons, modifiers, downloads, new tabs, fragments, other addresses).
 *
 * @param {MouseEvent} event
 */
function followed(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return null;
  if (link.origin !== location.origin || link.getAttribute("href")?.startsWith("#")) return null;
  return match(link.pathname) ? link.pathname + link.search + link.hash : null;
}
