// Recorded text made fit to be looked at: no escape codes, nothing invisible that changes what is seen.

const CONTROL_SEQUENCE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
const STRING_SEQUENCE =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)/g;
const OTHER_ESCAPE = /\u001b[ -/]*[0-Z\\-~]?/g;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const LINE_ENDS = /\r\n|[\r\n\u2028\u2029]/g;

/**
 * Text without terminal escape codes (colours, titles, links, cursor movements).
 * @param {string} text
 */
export function stripEscapes(text) {
  if (!/[\u001b\u0080-\u009f]/.test(text)) return text;
  return text.replace(STRING_SEQUENCE, "").replace(CONTROL_SEQUENCE, "").replace(OTHER_ESCAPE, "");
}

/**
 * Text with control characters and overrides of direction by their numbers (`\u27e8U+001B\u27e9`); line ends and tabs stay.
 * @param {string} text
 */
export function visible(text) {
  return text
    .replace(/\r\n/g, "\n")
    .replace(CONTROLS, (found) => `\u27e8U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

/**
 * The same on one line of at most `most` characters; a cut ends in an ellipsis.
 * @param {string} text
 * @param {number} [most]
 */
export function oneLine(text, most = 240) {
  const start = text.length > most ? `${wholeCharacters(text, most - 1)}\u2026` : text;
  return visible(start.replace(LINE_ENDS, " \u23ce ").replace(/\t/g, " "));
}

/**
 * How many lines a text has, a last empty one not counted.
 * @param {string} text
 */
export function lineCount(text) {
  const trimmed = text.replace(/\s+$/, "");
  return trimmed.split(LINE_ENDS).length;
}

/**
 * The first `length` code units, one fewer where that would cut a character in two.
 * @param {string} text
 * @param {number} length
 */
function wholeCharacters(text, length) {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
