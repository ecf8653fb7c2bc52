/**
 * Secrets in a link's fragment, which browsers send to no server: `#code=…` signs in once, `#share=…` opens one
 * replay.
 *
 * @typedef {{code: string} | {share: string}} Credential
 */

/**
 * @param {string} fragment
 * @returns {Credential | null}
 */
export function credentialOf(fragment) {
  const members = new URLSearchParams(fragment.replace(/^#/, ""));
  const code = members.get("code");
  if (code) return { code };
  const share = members.get("share");
  return share ? { share } : null;
}
