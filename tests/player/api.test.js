import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, address, createApi, isAbort } from "../../player/api.js";

/**
 * A server that gives one answer.
 *
 * @param {() => Response | Promise<Response>} answer
 */
function served(answer) {
  /** @type {{url: string, init: RequestInit}[]} */
  const seen = [];
  let signedOut = 0;
  /** @type {typeof fetch} */
  const send = async (input, init) => {
    seen.push({ url: String(input), init: init ?? {} });
    return answer();
  };
  const api = createApi(() => (signedOut += 1), send);
  return { api, seen, signedOut: () => signedOut };
}

/** @param {number} status @param {object} error */
const refusal = (status, error) => () => Response.json({ error }, { status });

test("answers are JSON, empty ones null; parameters that say nothing are left out", async () => {
  const { api, seen } = served(() => Response.json({ replays: [] }));
  assert.deepEqual(await api.get("/replays", { params: { project: "a&b", text: "", from_ms: 0, cursor: null } }), {
    replays: [],
  });
  assert.equal(seen[0]?.url, "/api/v1/replays?project=a%26b&from_ms=0");
  assert.equal(await served(() => new Response(null, { status: 204 })).api.del("/replays/1"), null);
  assert.equal(address("/me"), "/api/v1/me");
});

test("bodies are sent as JSON", async () => {
  const { api, seen } = served(() => Response.json({}));
  await api.post("/sign-in", { body: { key: "k" } });
  assert.equal(seen[0]?.init.method, "POST");
  assert.equal(seen[0]?.init.body, '{"key":"k"}');
  assert.equal(new Headers(seen[0]?.init.headers).get("content-type"), "application/json");
});

test("a refusal keeps its code, message and details", async () => {
  const details = [{ field: "cursor", code: "invalid_value", message: "not a cursor" }];
  const { api, signedOut } = served(refusal(422, { code: "validation_failed", message: "Wrong.", details }));
  await assert.rejects(api.get("/replays"), (problem) => {
    assert.ok(problem instanceof ApiError);
    assert.deepEqual([problem.status, problem.code, problem.message], [422, "validation_failed", "Wrong."]);
    assert.deepEqual(problem.details, details);
    return true;
  });
  assert.equal(signedOut(), 0);
});

test("answers in no shape of ours are refusals too", async () => {
  const { api } = served(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
  await assert.rejects(api.get("/me"), { name: "ApiError", status: 502, code: "unexpected" });
  const cut = served(() => new Response("{", { headers: { "content-type": "application/json" } }));
  await assert.rejects(cut.api.get("/me"), { status: 0, code: "unreachable" });
});

test("an unknown caller is told to the shell, unless asked to be quiet", async () => {
  const { api, signedOut } = served(refusal(401, { code: "unauthorized", message: "Who?" }));
  await assert.rejects(api.get("/me", { quiet: true }), { status: 401 });
  assert.equal(signedOut(), 0);
  await assert.rejects(api.get("/replays"), { status: 401 });
  assert.equal(signedOut(), 1);
});

test("no network is one kind of refusal, giving up is another", async () => {
  const away = served(() => Promise.reject(new TypeError("fetch failed")));
  await assert.rejects(away.api.get("/me"), { name: "ApiError", status: 0, code: "unreachable" });
  const given = served(() => Promise.reject(new DOMException("stopped", "AbortError")));
  await assert.rejects(given.api.get("/me"), (problem) => isAbort(problem));
});
