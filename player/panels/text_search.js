// Substring search over many short texts, without case. Lower-cased text is made once, when it is first needed.

const CHUNK_ROWS = 512;
const BETWEEN = "\u0000";

/** Texts in chunks: a chunk without the words is passed over with one look. */
export class TextSearch {
  /**
   * @param {number} count
   * @param {(row: number) => string} textOf
   */
  constructor(count, textOf) {
    this.count = count;
    this.textOf = textOf;
    /** @type {{text: string, ends: Uint32Array}[]} */
    this.chunks = [];
  }

  /**
   * Rows that hold `query`, ascending; all for an empty one.
   * @param {string} query
   * @returns {Uint32Array}
   */
  find(query) {
    const wanted = query.replaceAll(BETWEEN, "").toLowerCase();
    if (wanted === "") return Uint32Array.from({ length: this.count }, (_, row) => row);
    /** @type {number[]} */
    const found = [];
    for (let number = 0; number * CHUNK_ROWS < this.count; number += 1) {
      this.#findInChunk(number, wanted, found);
    }
    return Uint32Array.from(found);
  }

  /**
   * @param {number} number
   * @param {string} wanted
   * @param {number[]} found
   */
  #findInChunk(number, wanted, found) {
    const { text, ends } = (this.chunks[number] ??= this.#makeChunk(number));
    let row = 0;
    let at = text.indexOf(wanted);
    while (at >= 0) {
      while (ends[row] <= at) row += 1;
      found.push(number * CHUNK_ROWS + row);
      at = text.indexOf(wanted, ends[row]);
    }
  }

  /** @param {number} number */
  #makeChunk(number) {
    const first = number * CHUNK_ROWS;
    const length = Math.min(CHUNK_ROWS, this.count - first);
    const ends = new Uint32Array(length);
    let text = "";
    for (let row = 0; row < length; row += 1) {
      text +=
        this.textOf(first + row)
          .replaceAll(BETWEEN, "")
          .toLowerCase() + BETWEEN;
      ends[row] = text.length;
    }
    return { text, ends };
  }
}

/**
 * A text cut into pieces, those that `query` names marked; unmarked where lower case has another length.
 * @param {string} text
 * @param {string} query
 * @returns {{text: string, hit: boolean}[]}
 */
export function splitHits(text, query) {
  const wanted = query.toLowerCase();
  const lower = text.toLowerCase();
  if (wanted === "" || lower.length !== text.length) return [{ text, hit: false }];
  const pieces = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    from = at + wanted.length;
    pieces.push({ text: text.slice(at, from), hit: true });
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}
