/**
 * How findings are shown: those of sessions/heuristics, in the order of their weight.
 *
 * @import { IconName } from "./icons.js"
 */

/** @type {Record<string, {label: string, icon: IconName, tone: "bad" | "warn"}>} */
export const ISSUE_KINDS = {
  crash: { label: "Crash", icon: "crash", tone: "bad" },
  anr: { label: "Not responding", icon: "frozen", tone: "bad" },
  tap_rage: { label: "Tap rage", icon: "rage", tone: "warn" },
  network_error_burst: { label: "Network errors", icon: "network", tone: "warn" },
  slow_screen: { label: "Slow screen", icon: "slow", tone: "warn" },
};

/** How a kind of issue is shown; kinds that are not known here by their own name. @param {string} type */
export function issueNamed(type) {
  if (Object.hasOwn(ISSUE_KINDS, type)) return /** @type {typeof ISSUE_KINDS[string]} */ (ISSUE_KINDS[type]);
  const words = type.replaceAll("_", " ").trim();
  return {
    label: words.charAt(0).toUpperCase() + words.slice(1),
    icon: /** @type {const} */ ("issue"),
    tone: /** @type {const} */ ("warn"),
  };
}
