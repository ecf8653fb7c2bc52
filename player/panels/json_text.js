// JSON as it was written: numbers keep their digits, members their order and their doubles.

/**
 * A number, true, false or null stays the text it was.
 * @typedef {{kind: 'literal', text: string} | {kind: 'string', text: string}
 *   | {kind: 'list', items: Json[]} | {kind: 'object', members: [string, Json][]}} Json
 */

const MAX_DEPTH = 300;
const SPACE = /[ \t\r\n]*/y;
const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y;

/**
 * Read a text that is JSON as a whole; undefined for anything else, and for more than 300 levels.
 * @param {string} text
 * @returns {Json | undefined}
 */
export function parseJson(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  return value !== undefined && reader.atEnd() ? value : undefined;
}

/**
 * JSON indented by two spaces.
 * @param {Json} value
 * @param {string} [indent]
 * @returns {string}
 */
export function prettyJson(value, indent = "") {
  const deeper = `${indent}  `;
  if (value.kind === "literal") return value.text;
  if (value.kind === "string") return JSON.stringify(value.text);
  const [open, close] = value.kind === "list" ? "[]" : "{}";
  const lines =
    value.kind === "list"
      ? value.items.map((item) => deeper + prettyJson(item, deeper))
      : value.members.map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${prettyJson(item, deeper)}`);
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/**
 * The member of an object by name; the last of several.
 * @param {Json | undefined} value
 * @param {string} name
 */
export function member(value, name) {
  if (value?.kind !== "object") return undefined;
  return value.members.findLast(([key]) => key === name)?.[1];
}

/** Recursive descent over one text; every method gives undefined for what is not JSON. */
class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  atEnd() {
    this.#match(SPACE);
    return this.at === this.text.length;
  }

  /**
   * @param {number} depth
   * @returns {Json | undefined}
   */
  value(depth) {
    if (depth > MAX_DEPTH) return undefined;
    this.#match(SPACE);
    const first = this.text[this.at];
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#list(depth);
    if (first === '"') {
      const text = this.#string();
      return text === undefined ? undefined : { kind: "string", text };
    }
    const text = this.#match(LITERAL);
    return text ? { kind: "literal", text } : undefined;
  }

  /**
   * @param {number} depth
   * @returns {Json | undefined}
   */
  #list(depth) {
    /** @type {Json[]} */
    const items = [];
    this.at += 1;
    if (this.#sign("]")) return { kind: "list", items };
    do {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    } while (this.#sign(","));
    return this.#sign("]") ? { kind: "list", items } : undefined;
  }

  /**
   * @param {number} depth
   * @returns {Json | undefined}
   */
  #object(depth) {
    /** @type {[string, Json][]} */
    const members = [];
    this.at += 1;
    if (this.#sign("}")) return { kind: "object", members };
    do {
      this.#match(SPACE);
      const key = this.#string();
      const item = key !== undefined && this.#sign(":") ? this.value(depth + 1) : undefined;
      if (key === undefined || item === undefined) return undefined;
      members.push([key, item]);
    } while (this.#sign(","));
    return this.#sign("}") ? { kind: "object", members } : undefined;
  }

  /** @returns {string | undefined} */
  #string() {
    const raw = this.#match(STRING);
    if (!raw) return undefined;
    try {
      return JSON.parse(raw);
    } catch {
      return undefined;
    }
  }

  /** @param {string} wanted */
  #sign(wanted) {
    this.#match(SPACE);
    if (this.text[this.at] !== wanted) return false;
    this.at += 1;
    return true;
  }

  /** @param {RegExp} pattern sticky */
  #match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}
