/**
 * What the worker does with wishes: fetches pictures, most urgent first, keeps them compressed, decodes what is
 * wanted, and stops fetching what no longer is. Network and decoder are handed in.
 *
 * @typedef {{type: "want", decode: number[], previews: number[], fetch: number[]}} Want  replaces what was wanted before
 * @typedef {{type: "let_go", decoded: number[], previews: number[]}} LetGo  pictures that were closed
 * @typedef {{before: string, after: string}} PictureAddress  what stands around a picture's name
 * @typedef {{type: "open", address: PictureAddress}} Open
 * @typedef {Open | Want | LetGo} Order
 * @typedef {"damaged" | "missing" | "unreachable" | "signed_out"} Reason
 * @typedef {{type: "picture", name: number, preview: boolean, bitmap: ImageBitmap}} Decoded
 * @typedef {{type: "held", name: number, held: boolean}} Held  whether the compressed picture is there
 * @typedef {{type: "failed", name: number, reason: Reason}} Failed  `unreachable` is tried again
 * @typedef {Decoded | Held | Failed} Report
 */

const MAX_BYTES = 64_000_000;
const FETCHES = 4;
const DECODES = 2;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * @param {object} tools
 * @param {(url: string, signal: AbortSignal) => Promise<Response>} tools.load
 * @param {(picture: Blob, preview: boolean) => Promise<ImageBitmap>} tools.decode throws when it cannot
 * @param {(report: Report) => void} tools.tell
 * @param {number} [tools.max_bytes] of compressed pictures kept
 */
export function createPictureQueue({ load, decode, tell, max_bytes = MAX_BYTES }) {
  /** @type {PictureAddress} */
  let address = { before: "", after: "" };
  /** @type {Want} */
  let want = { type: "want", decode: [], previews: [], fetch: [] };
  /** @type {Map<number, Blob>} least recently used first */
  const held = new Map();
  let held_bytes = 0;
  /** @type {Map<number, AbortController>} */
  const loading = new Map();
  /** @type {Map<number, number>} name -> how long to wait after the last failure, ms */
  const failing = new Map();
  /** @type {Set<number>} will never be there */
  const lost = new Set();
  const given = { decoded: new Set(), previews: new Set() };
  let decoding = 0;

  /** @param {Order} order */
  function take(order) {
    if (order.type === "open") address = order.address;
    if (order.type === "let_go") {
      for (const name of order.decoded) given.decoded.delete(name);
      for (const name of order.previews) given.previews.delete(name);
    }
    if (order.type === "want") {
      want = order;
      const names = wanted();
      for (const [name, abort] of loading) if (!names.has(name)) abort.abort();
    }
    work();
  }

  function wanted() {
    return new Set([...want.decode.slice(0, 1), ...want.previews, ...want.decode, ...want.fetch]);
  }

  function work() {
    for (const name of wanted()) {
      if (loading.size >= FETCHES) break;
      if (!held.has(name) && !loading.has(name) && !failing.has(name) && !lost.has(name)) fetchOne(name);
    }
    while (decoding < DECODES) {
      const next = toDecode(want.decode.slice(0, 1), false) ?? toDecode(want.previews, true) ?? toDecode(want.decode, false);
      if (!next) break;
      decodeOne(next.name, next.preview);
    }
  }

  /** @param {number[]} names @param {boolean} preview */
  function toDecode(names, preview) {
    const there = preview ? given.previews : given.decoded;
    const name = names.find((each) => held.has(each) && !there.has(each) && !lost.has(each));
    return name === undefined ? null : { name, preview };
  }

  /** @param {number} name */
  async function fetchOne(name) {
    const abort = new AbortController();
    loading.set(name, abort);
    try {
      const answer = await load(address.before + name + address.after, abort.signal);
      if (answer.ok) keep(name, await answer.blob());
      else if (answer.status === 401) lose(name, "signed_out");
      else if (answer.status < 500 && answer.status !== 429) lose(name, "missing");
      else retryLater(name);
    } catch {
      if (!abort.signal.aborted) retryLater(name);
    } finally {
      loading.delete(name);
      work();
    }
  }

  /** @param {number} name */
  function retryLater(name) {
    const wait_ms = Math.min((failing.get(name) ?? RETRY_MS / 2) * 2, MAX_RETRY_MS);
    failing.set(name, wait_ms);
    tell({ type: "failed", name, reason: "unreachable" });
    setTimeout(() => {
      if (!wanted().has(name)) failing.delete(name);
      else if (!held.has(name)) fetchOne(name);
    }, wait_ms);
  }

  /** @param {number} name @param {Reason} reason */
  function lose(name, reason) {
    failing.delete(name);
    lost.add(name);
    tell({ type: "failed", name, reason });
  }

  /** @param {number} name @param {Blob} picture */
  function keep(name, picture) {
    failing.delete(name);
    held.set(name, picture);
    held_bytes += picture.size;
    tell({ type: "held", name, held: true });
    const needed = wanted();
    for (const [oldest, blob] of held) {
      if (held_bytes <= max_bytes) break;
      if (needed.has(oldest)) continue;
      held.delete(oldest);
      held_bytes -= blob.size;
      tell({ type: "held", name: oldest, held: false });
    }
  }

  /** @param {number} name @param {boolean} preview */
  async function decodeOne(name, preview) {
    const picture = /** @type {Blob} */ (held.get(name));
    held.delete(name);
    held.set(name, picture);
    (preview ? given.previews : given.decoded).add(name);
    decoding++;
    try {
      tell({ type: "picture", name, preview, bitmap: await decode(picture, preview) });
    } catch {
      lose(name, "damaged");
    } finally {
      decoding--;
      work();
    }
  }

  return { take };
}
