"""Around every route but the append ones, plain ASGI: error answers, ids, headers, body bounds, prefixes."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Mapping
from time import perf_counter
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from http_service.answers import ErrorAnswer, Words, answer_to, error_answer
from http_service.hot import known_method, send_answer
from http_service.limits import Budget, ClientGone, declared_length
from playhead import telemetry
from playhead.errors import PlayheadError, TooLarge

REQUEST_ID: Final = "playhead.request_id"
PREFIXES: Final = "playhead.prefixes"  # {"ingest": "/ingest", "project_key": "…"}: what stood before the path
ENCODED_PATH: Final = "playhead.encoded_path"  # path parameters are still percent-encoded
ERROR_HEADERS: Final = "playhead.error_headers"  # headers for the answer if it becomes an error
ERROR_WORDS: Final = "playhead.error_words"  # Words of the route's protocol, or none
_ids: Final = random.Random(secrets.randbits(128))  # they are no secrets
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")

#: on every answer, unless it brings its own
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)

_log = telemetry.logger("http_service")
_requests = telemetry.counter("playhead_http_requests_total")
_seconds = telemetry.histogram("playhead_http_request_seconds")
_refused = telemetry.counter("playhead_http_refused_total")


class Shell:
    """Outermost: request id, security headers, one answer for every error, metrics by route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        request_id = scope[REQUEST_ID] = _request_id(scope)
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name.lower() for name, _ in message.get("headers", ())}
                added = [pair for pair in HEADERS if pair[0] not in own]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id), *added]
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except ClientGone:
            return
        except Exception as problem:
            if status:
                _log.error("answer_broken_off", request_id=request_id.decode(), exc_info=problem)
                raise BrokenOff from None
            await self._refuse(problem, scope, dressed)
        route = getattr(scope.get("route"), "path", "none")
        _requests.labels(route, known_method(scope["method"]), str(status)).inc()
        _seconds.labels(route).observe(perf_counter() - began)

    async def _refuse(self, problem: Exception, scope: Scope, send: Send) -> None:
        words: Words | None = scope.get(ERROR_WORDS)
        answer = words.answer_to(problem) if words is not None else _answer_to(problem)
        if answer.status == 500:
            _log.error("request_failed", request_id=scope[REQUEST_ID].decode(), exc_info=problem)
        _refused.labels(problem.code if isinstance(problem, PlayheadError) else str(answer.status)).inc()
        extra: tuple[tuple[bytes, bytes], ...] = tuple(scope.get(ERROR_HEADERS, ()))
        if any(name == b"expect" for name, _ in scope["headers"]):
            extra += ((b"connection", b"close"),)
        await send_answer(answer, send, extra)


class BrokenOff(Exception):
    """An answer failed after its first byte; the server closes the connection."""


class Bounded:
    """Holds every body to `limit` bytes, those of some paths to their own, and all together to the budget."""

    def __init__(
        self, app: ASGIApp, *, limit: int, budget: Budget, by_path: Mapping[str, int] | None = None
    ) -> None:
        self._app, self._limit, self._budget = app, limit, budget
        self._by_path = by_path or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = declared_length(scope["headers"])
        limit = self._by_path.get(scope["path"], self._limit)
        with self._budget.hold() as held:

            async def counted() -> Message:
                if declared is not None and declared > limit:  # not before: credentials come first
                    raise TooLarge(f"the body is larger than {limit} bytes")
                message = await receive()
                if message["type"] == "http.request":
                    held.add(len(message.get("body", b"")))
                    if held.size > limit:
                        raise TooLarge(f"the body is larger than {limit} bytes")
                return message

            await self._app(scope, counted, send)


class Prefixes:
    """Takes `/ingest` and `/p/{project_key}` off the path; routes see what stood there under PREFIXES."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path, prefixes = split_path(route_path(scope))
            scope["path"], scope[PREFIXES] = path, prefixes
        await self._app(scope, receive, send)


def split_path(path: str) -> tuple[str, dict[str, str]]:
    """("/ingest/p/KEY/v1/batch") -> ("/v1/batch", {"ingest": "/ingest", "project_key": "KEY"})."""
    prefixes: dict[str, str] = {}
    if path.startswith("/ingest/"):
        prefixes["ingest"] = "/ingest"
        path = path.removeprefix("/ingest")
    if path.startswith("/p/"):
        key, slash, rest = path.removeprefix("/p/").partition("/")
        if key and slash:
            prefixes["project_key"] = key
            path = slash + rest
    return path, prefixes


def route_path(scope: Scope) -> str:
    """The path to route by: decoded, unless an encoded slash in it would then split a segment."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return str(scope["path"])
    scope[ENCODED_PATH] = True
    return raw.decode("latin-1")


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return bytes(value)
    return b"%016x" % _ids.getrandbits(64)


def _answer_to(problem: Exception) -> ErrorAnswer:
    if isinstance(problem, HTTPException):  # the framework's own; our routes raise PlayheadErrors
        code = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "refused")
        headers = tuple((k.lower().encode(), v.encode()) for k, v in (problem.headers or {}).items())
        return error_answer(problem.status_code, code, problem.detail, headers=headers)
    return answer_to(problem)
