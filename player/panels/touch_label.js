// What was touched, in the words of the app, out of the labels that the SDKs make (spec 3.6).

/** @typedef {{title: string, detail: string}} TouchLabel what the viewer knows it by; class and id */

const IOS = /^(\S+) '(.*)'$/s;
const ANDROID_PART = /(?:^| \| )(id|text|desc|type):/;

/**
 * `UIButton 'Pay'` -> Pay, UIButton; `id:pay | text:Pay | desc: | type:Button` -> Pay, Button pay.
 * @param {string} label
 * @returns {TouchLabel}
 */
export function touchLabel(label) {
  const ios = IOS.exec(label);
  if (ios) return { title: ios[2] || ios[1], detail: ios[2] ? ios[1] : "" };
  if (!/^id:/.test(label)) return { title: label, detail: "" };
  const parts = androidParts(label);
  const title = parts.text || parts.desc || parts.id || parts.type || label;
  const detail = [parts.type, parts.id].filter((each) => each && each !== title).join(" ");
  return { title, detail };
}

/** @param {string} label */
function androidParts(label) {
  /** @type {Record<string, string>} */
  const parts = {};
  const pieces = label.split(ANDROID_PART);
  for (let at = 1; at < pieces.length; at += 2) parts[pieces[at]] ??= pieces[at + 1].trim();
  return parts;
}
