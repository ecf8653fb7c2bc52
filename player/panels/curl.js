// A recorded call as a curl command that is safe to paste into a shell, whatever was recorded.

/** @typedef {import('./exchange.js').Exchange} Exchange */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** what curl makes itself, from the address and the body */
const OWN_HEADERS = new Set(["content-length", "host", "connection", "transfer-encoding"]);
/** what a terminal or a reader could take for something else than text */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufffe\uffff]/;

/**
 * The command, or why there is none: only http(s) addresses and well-formed methods are given to a shell.
 * @param {Exchange} exchange
 * @returns {{command: string, problem?: undefined} | {command?: undefined, problem: string}}
 */
export function curlOf(exchange) {
  const { method, url, request } = exchange;
  if (!/^https?:\/\//i.test(url)) return { problem: "The address is not http or https." };
  if (method !== "" && !TOKEN.test(method)) return { problem: "The method is not one of HTTP." };
  const parts = ["curl --globoff"];
  if (request.headers.some(([name]) => name.toLowerCase() === "accept-encoding")) parts[0] += " --compressed";
  parts[0] += methodOption(method, request.body !== "");
  parts.push(`--url ${quoted(url)}`);
  for (const [name, value] of request.headers) {
    if (TOKEN.test(name) && !OWN_HEADERS.has(name.toLowerCase())) {
      parts.push(`--header ${quoted(headerLine(name, value))}`);
    }
  }
  if (request.body !== "" && isJson(request.body) && !request.headers.some(([name]) => name.toLowerCase() === "content-type"))
    parts.push("--header 'Content-Type: application/json'"); // else curl would say that it is a form
  if (request.body !== "") parts.push(`--data-raw ${quoted(request.body)}`);
  return { command: parts.join(" \\\n  ") };
}

/** @param {string} body */
function isJson(body) {
  try {
    return typeof JSON.parse(body) === "object";
  } catch {
    return false;
  }
}

/**
 * One word of a POSIX shell that stands for exactly this text; control characters as escapes (`$'…'`), so that
 * pasting does nothing before Enter is pressed.
 * @param {string} text
 */
export function quoted(text) {
  const clean = text.replaceAll("\u0000", "").replace(/\p{Surrogate}/gu, "\ufffd");
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(clean)) return clean;
  if (!UNSAFE.test(clean)) return `'${clean.replaceAll("'", `'\\''`)}'`;
  const escaped = Array.from(clean, (each) => {
    if (each === "\n") return "\\n";
    if (each === "'" || each === "\\") return `\\${each}`;
    return UNSAFE.test(each) ? octal(each) : each;
  });
  return `$'${escaped.join("")}'`;
}

/**
 * @param {string} method
 * @param {boolean} body
 */
function methodOption(method, body) {
  const upper = method.toUpperCase();
  if (upper === "HEAD") return " --head";
  if (upper === "" || upper === (body ? "POST" : "GET")) return "";
  return ` --request ${quoted(method)}`;
}

/**
 * A header as curl wants it: line ends made spaces, an empty one with a semicolon.
 * @param {string} name
 * @param {string} value
 */
function headerLine(name, value) {
  const line = value.replace(/[\r\n\u0000]+/g, " ").trim();
  return line === "" ? `${name};` : `${name}: ${line}`;
}

/**
 * UTF-8 bytes as octal escapes.
 * @param {string} character
 */
function octal(character) {
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
