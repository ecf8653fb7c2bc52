/**
 * The HTTP API: JSON in and out, refusals as `ApiError`, a lost session told to one place.
 *
 * @import { ErrorDetail } from "./types.js"
 */

/** A refusal, or no answer at all (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {ErrorDetail[]} details
   */
  constructor(status, code, message, details = []) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/**
 * @typedef {Record<string, string | number | boolean | null | undefined>} Params
 * @typedef {{params?: Params, body?: unknown, signal?: AbortSignal, quiet?: boolean}} Options
 *   quiet: a 401 is only thrown, not told to `signedOut`
 * @typedef {object} Api
 * @property {(path: string, options?: Options) => Promise<any>} get
 * @property {(path: string, options?: Options) => Promise<any>} post
 * @property {(path: string, options?: Options) => Promise<any>} del
 */

export const PREFIX = "/api/v1";

/**
 * @param {() => void} signedOut  called when the server no longer knows who this is
 * @param {typeof fetch} send
 * @returns {Api}
 */
export function createApi(signedOut, send = (input, init) => fetch(input, init)) {
  /** @param {string} method @param {string} path @param {Options} options */
  async function call(method, path, { params, body, signal, quiet } = {}) {
    /** @type {RequestInit} */
    const init = { method, credentials: "same-origin", headers: { accept: "application/json" }, signal };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...init.headers, "content-type": "application/json" };
    }
    const answer = await reach(() => send(address(path, params), init));
    if (answer.ok) return answer.status === 204 ? null : reach(() => answer.json());
    const problem = await errorOf(answer);
    if (answer.status === 401 && !quiet) signedOut();
    throw problem;
  }

  return {
    get: (path, options) => call("GET", path, options),
    post: (path, options) => call("POST", path, options),
    del: (path, options) => call("DELETE", path, options),
  };
}

/**
 * A path below the API's prefix with its parameters; empty ones are left out.
 *
 * @param {string} path
 * @param {Params} params
 */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return PREFIX + path + (text ? `?${text}` : "");
}

/**
 * @template T
 * @param {() => Promise<T>} ask
 */
async function reach(ask) {
  try {
    return await ask();
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new ApiError(0, "unreachable", "The server cannot be reached.");
  }
}

/** @param {Response} answer */
async function errorOf(answer) {
  try {
    const { error } = await answer.json();
    return new ApiError(answer.status, String(error.code), String(error.message), error.details ?? []);
  } catch {
    return new ApiError(answer.status, "unexpected", `The server answered ${answer.status}.`);
  }
}

/** @param {unknown} problem */
export function isAbort(problem) {
  return problem instanceof DOMException && problem.name === "AbortError";
}
