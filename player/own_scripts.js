/**
 * The page's policy lets no text become code or markup (Trusted Types); this names the scripts that may be started
 * from code: the player's own worker. Imported before anything that starts one.
 */

const OWN = new Set([new URL("./frame_worker.js", import.meta.url).href]);

/** @param {string} url */
function ownScript(url) {
  if (OWN.has(new URL(url, document.baseURI).href)) return url;
  throw new TypeError("not a script of the player");
}

/** @typedef {{createPolicy(name: string, rules: {createScriptURL(url: string): string}): unknown}} TrustedTypes */

const { trustedTypes } = /** @type {{trustedTypes?: TrustedTypes}} */ (/** @type {unknown} */ (globalThis));
trustedTypes?.createPolicy("default", { createScriptURL: ownScript });
