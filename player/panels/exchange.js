// A network call as its message tells it: both sides with headers and body, whatever the SDK made of them.

import { member, parseJson } from "./json_text.js";

/** @typedef {import('./json_text.js').Json} Json */
/**
 * One side of a call. `form`: what kind of text the body is; `wrapped`: it came as the SDKs write it
 * (`{"headers":{..},"body":".."}`), else the text is shown as it came.
 * @typedef {{headers: [string, string][], body: string, form: 'empty' | 'json' | 'text' | 'binary' | 'cut json',
 *   wrapped: boolean}} Side
 */
/**
 * `status` 0: no answer came.
 * @typedef {{method: string, url: string, status: number, duration_ms: number, request: Side, response: Side}} Exchange
 */

/**
 * An exchange from the fields of message 105, of today's layout or that of 2023 (answer alone).
 * @param {Record<string, any>} fields by name on the wire
 * @returns {Exchange}
 */
export function exchangeOf(fields) {
  const old = "Headers" in fields;
  return {
    method: String(fields.Method ?? ""),
    url: String(fields.URL ?? ""),
    status: Number(fields.Status ?? 0),
    duration_ms: Number(fields.Duration ?? 0),
    request: old ? sideOf("") : sideOf(String(fields.Request ?? "")),
    response: old
      ? madeSide(headersIn(parseJson(String(fields.Headers))), String(fields.Body ?? ""), true)
      : sideOf(String(fields.Response ?? "")),
  };
}

/**
 * A side from the text of a Request or Response field.
 * @param {string} text
 * @returns {Side}
 */
export function sideOf(text) {
  const value = text === "" ? undefined : parseJson(text);
  if (value?.kind !== "object" || !value.members.every(([key]) => key === "headers" || key === "body")) {
    return madeSide([], text, text === "");
  }
  const body = member(value, "body");
  return madeSide(headersIn(member(value, "headers")), bodyText(body), true);
}

/**
 * How many bytes a text is in UTF-8.
 * @param {string} text
 */
export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/**
 * @param {[string, string][]} headers
 * @param {string} body
 * @param {boolean} wrapped
 * @returns {Side}
 */
function madeSide(headers, body, wrapped) {
  return { headers, body, form: formOf(body), wrapped };
}

/**
 * @param {string} body
 * @returns {Side['form']}
 */
function formOf(body) {
  if (body === "") return "empty";
  if (looksBinary(body)) return "binary";
  if (!/^\s*[[{]/.test(body)) return "text";
  return parseJson(body) ? "json" : /[\]}]\s*$/.test(body) ? "text" : "cut json";
}

/**
 * Bytes that were no text arrive as replacement and control characters.
 * @param {string} text
 */
function looksBinary(text) {
  const start = text.slice(0, 2000);
  const odd = start.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  return odd > start.length / 20;
}

/**
 * @param {Json | undefined} value object, or list of [name, value] or {name, value}
 * @returns {[string, string][]}
 */
function headersIn(value) {
  if (value?.kind !== "object") return [];
  return value.members.flatMap(([name, item]) =>
    item.kind === "list"
      ? item.items.map((each) => /** @type {[string, string]} */ ([name, bodyText(each)]))
      : [/** @type {[string, string]} */ ([name, bodyText(item)])],
  );
}

/**
 * Text of a value: strings as they are, nothing for null, JSON for the rest.
 * @param {Json | undefined} value
 */
function bodyText(value) {
  if (value === undefined || (value.kind === "literal" && value.text === "null")) return "";
  return value.kind === "string" || value.kind === "literal" ? value.text : compact(value);
}

/**
 * @param {Json} value
 * @returns {string}
 */
function compact(value) {
  if (value.kind === "literal") return value.text;
  if (value.kind === "string") return JSON.stringify(value.text);
  if (value.kind === "list") return `[${value.items.map(compact).join(",")}]`;
  return `{${value.members.map(([key, item]) => `${JSON.stringify(key)}:${compact(item)}`).join(",")}}`;
}
