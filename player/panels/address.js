// A recorded address in parts to show. Nothing is resolved or followed.

/** @typedef {{host: string, path: string, query: string}} Address host: with scheme unless it is https */

/**
 * Cut as it was written; what is no address at all is path.
 * @param {string} url
 * @returns {Address}
 */
export function addressOf(url) {
  const found = /^([a-z][a-z0-9+.-]*:)\/\/([^/?#]*)([^?#]*)(.*)$/is.exec(url);
  if (!found) return { host: "", path: url, query: "" };
  const [, scheme, authority, path, query] = found;
  const host = scheme.toLowerCase() === "https:" ? authority : `${scheme}//${authority}`;
  return { host, path: path || "/", query };
}
