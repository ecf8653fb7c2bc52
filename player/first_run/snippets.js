/**
 * The lines that put the recorder into an app, with this server's address and the project's key. Pure.
 *
 * @typedef {object} Snippet
 * @property {string} id
 * @property {string} title
 * @property {string} install  where the package comes from
 * @property {string} place  where the lines go
 * @property {string} code
 */

const SWIFT = (/** @type {string} */ url, /** @type {string} */ key) => `import OpenReplay

OpenReplay.shared.serverURL = ${quoted(url)}
OpenReplay.shared.start(projectKey: ${quoted(key)}, options: .defaults)`;

const KOTLIN = (/** @type {string} */ url, /** @type {string} */ key) => `import com.openreplay.tracker.OpenReplay
import com.openreplay.tracker.models.OROptions

OpenReplay.serverURL = ${quoted(url, true)}
OpenReplay.start(applicationContext, ${quoted(key, true)}, OROptions.defaults, onStarted = {})`;

const REACT_NATIVE = (
  /** @type {string} */ url,
  /** @type {string} */ key,
) => `import OpenReplay from '@openreplay/react-native';

OpenReplay.tracker.startSession(${quoted(key)}, {}, ${quoted(url)});`;

const SIMULATOR = (/** @type {string} */ url, /** @type {string} */ key) =>
  `playhead simulate --url ${shellQuoted(url)} --project ${shellQuoted(key)} --sessions 2 --minutes 1`;

/**
 * @param {string} origin  of this server
 * @param {string} key  of the project
 * @returns {Snippet[]}
 */
export function snippets(origin, key) {
  const url = `${origin}/ingest`;
  return [
    {
      id: "swift",
      title: "iOS, Swift",
      install: "Add the Swift package github.com/openreplay/ios-tracker, or the pod Openreplay",
      place: "In application(_:didFinishLaunchingWithOptions:), or the init of your App",
      code: SWIFT(url, key),
    },
    {
      id: "kotlin",
      title: "Android, Kotlin",
      install: "Add com.github.openreplay:android-tracker from JitPack",
      place: "In onCreate of your first activity",
      code: KOTLIN(url, key),
    },
    {
      id: "react-native",
      title: "React Native",
      install: "npm install @openreplay/react-native, then pod install",
      place: "Once, when your root component has mounted",
      code: REACT_NATIVE(url, key),
    },
    {
      id: "simulator",
      title: "No phone at hand",
      install: "The simulator comes with this server and acts as both SDKs do",
      place: "In a terminal on the server’s machine",
      code: SIMULATOR(url, key),
    },
  ];
}

/** Which snippet fits a project first. @param {string} platform */
export function firstSnippet(platform) {
  return platform === "android" ? "kotlin" : "swift";
}

/**
 * What keeps a phone from reaching this address; empty: nothing that is known.
 *
 * @param {string} origin
 * @returns {string[]}
 */
export function obstacles(origin) {
  const { protocol, hostname } = new URL(origin);
  const found = [];
  if (["localhost", "127.0.0.1", "[::1]"].includes(hostname)) {
    found.push(
      "A phone cannot reach this address: it means the phone itself. Start the server with PLAYHEAD_HOST=0.0.0.0 " +
        "and open this page under the machine’s own address. Simulators on this machine work; in an Android " +
        "emulator the machine is 10.0.2.2.",
    );
  }
  if (protocol === "http:")
    found.push(
      "Apps refuse plain http unless told otherwise: App Transport Security on iOS, usesCleartextTraffic on " +
        "Android. With https nothing is needed.",
    );
  return found;
}

/**
 * A string literal of Swift and JavaScript, or of Kotlin, where `$` begins a template.
 *
 * @param {string} text
 * @param {boolean} [kotlin]
 */
function quoted(text, kotlin = false) {
  const literal = JSON.stringify(text);
  return kotlin ? literal.replaceAll("$", "\\$") : literal;
}

/** @param {string} text */
function shellQuoted(text) {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
