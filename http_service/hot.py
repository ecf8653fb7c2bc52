"""The append routes as raw ASGI in front of everything: token, size, journal, 200. No SQL, nothing decoded.

Source: spec/openreplay-mobile.md 1.1, 1.2, 1.4; whose data it is: ingest/appends.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from http_service.answers import ErrorAnswer, answer_to, error_answer
from http_service.cors import PREFLIGHT, Cors
from http_service.limits import ClientGone, parse_length, read_body
from ingest.appends import DAY_MS, identify, needs_platform, record_of
from ingest.funnel import accept
from messages.uploads import boundary_of
from playhead import telemetry
from playhead.errors import PlayheadError, Unauthorized, UnsupportedMedia
from sessions.tokens import Claims

if TYPE_CHECKING:
    from http_service.context import Context

Kind = Literal["batch", "late", "images"]

#: path -> (kind, generation of 2023)
PATHS: Final[dict[str, tuple[Kind, bool]]] = {
    "/v1/mobile/i": ("batch", False),
    "/v1/mobile/late": ("late", False),
    "/v1/mobile/images": ("images", False),
    "/v1/ios/append": ("batch", True),
    "/v1/ios/i": ("batch", True),
    "/v1/ios/late": ("late", True),
    "/v1/ios/images": ("images", True),
}
PREFIX: Final = "/ingest"

_log = telemetry.logger("http_service.hot")
_requests = telemetry.counter("playhead_http_requests_total")
_seconds = telemetry.histogram("playhead_http_request_seconds")
_refused = telemetry.counter("playhead_http_refused_total")


class Hot:
    """One append route: everything of it that does not depend on the request."""

    __slots__ = ("answered", "kind", "legacy", "limit", "path", "seconds")

    def __init__(self, path: str, kind: Kind, legacy: bool, limit: int) -> None:
        self.path, self.kind, self.legacy, self.limit = path, kind, legacy, limit
        self.answered = _requests.labels(path, "POST", "200")
        self.seconds = _seconds.labels(path)


@dataclass(slots=True)
class Head:
    """The headers that an append needs."""

    authorization: bytes = b""
    content_type: bytes = b""
    length: int | None = None
    origin: bytes | None = None
    expects: bool = False


class Front:
    """ASGI: append routes here, everything else to `app`."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._services = context.services
        self._budget = context.budget
        self._arrivals = context.arrivals
        self._rate = context.rates.append
        settings = context.services.settings
        self._cors = Cors(settings.cors_origins)
        self._grace_ms = settings.token_grace_days * DAY_MS
        self._routes: dict[str, Hot] = {}
        for path, (kind, legacy) in PATHS.items():
            limit = settings.max_images_bytes if kind == "images" else settings.max_batch_bytes
            self._routes[path] = self._routes[PREFIX + path] = Hot(path, kind, legacy, limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
        else:
            await self._serve(route, scope, receive, send)

    async def _serve(self, route: Hot, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        head = Head()
        try:
            if scope["method"] != "POST":
                await self._other_method(route, scope, send)
                return
            head = read_head(scope)
            await self._append(route, head, receive)
        except ClientGone:
            return
        except Exception as problem:
            await self._refuse(route, head, problem, send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"0"), *self._cors.headers(head.origin)],
            }
        )
        await send({"type": "http.response.body"})
        route.answered.inc()
        route.seconds.observe(perf_counter() - began)

    async def _append(self, route: Hot, head: Head, receive: Receive) -> None:
        """Durable when this returns. Raises PlayheadError, ClientGone."""
        services = self._services
        claims = services.tokens.verify(bearer(head.authorization))
        self._rate(claims.session_id)
        now_ms = services.clock()
        platform = await self._platform(claims) if needs_platform(claims, route.kind, now_ms) else ""
        sender = identify(claims, route.kind, platform=platform, now_ms=now_ms, grace_ms=self._grace_ms)
        content_type = ""
        if route.kind == "images":
            content_type = head.content_type.decode("latin-1")
            if boundary_of(content_type) is None:
                raise UnsupportedMedia("multipart/form-data with a boundary is needed")
        with self._budget.hold() as held:
            body = await read_body(receive, declared=head.length, limit=route.limit, held=held)
            record = record_of(
                sender,
                route.kind,
                body,
                received_us=self._arrivals(),
                legacy=route.legacy,
                content_type=content_type,
            )
            await accept(record, journal=services.journal)

    async def _platform(self, claims: Claims) -> str:
        """What the session's own row says; only asked for a timed-out token that others signed."""
        session = await self._services.sessions.get(claims.project_id, claims.session_id)
        return session.platform if session is not None else ""

    async def _other_method(self, route: Hot, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        cors = self._cors.headers(headers.get(b"origin"))
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 200, "headers": [*PREFLIGHT, *cors]})
            await send({"type": "http.response.body"})
            _requests.labels(route.path, "OPTIONS", "200").inc()
            return
        allow = ((b"allow", b"OPTIONS, POST"),)
        answer = error_answer(405, "method_not_allowed", "This route takes POST.", headers=allow)
        await send_answer(answer, send, cors)
        _requests.labels(route.path, known_method(scope["method"]), "405").inc()

    async def _refuse(self, route: Hot, head: Head, problem: Exception, send: Send) -> None:
        answer = answer_to(problem)
        if answer.status == 500:
            _log.error("append_failed", route=route.path, exc_info=problem)
        reason = problem.code if isinstance(problem, PlayheadError) else "internal_error"
        _refused.labels(reason).inc()
        _requests.labels(route.path, "POST", str(answer.status)).inc()
        extra = self._cors.headers(head.origin)
        if head.expects:  # the body may never come, so nothing more can be read here
            extra += ((b"connection", b"close"),)
        await send_answer(answer, send, extra)


def read_head(scope: Scope) -> Head:
    """The needed headers in one pass. Raises InvalidBody for a Content-Length that is none."""
    head = Head()
    for name, value in scope["headers"]:
        if name == b"authorization":
            head.authorization = value
        elif name == b"content-length":
            head.length = parse_length(value)
        elif name == b"content-type":
            head.content_type = value
        elif name == b"origin":
            head.origin = value
        elif name == b"expect":
            head.expects = True
    return head


def bearer(authorization: bytes) -> str:
    """The token of `Authorization: Bearer <token>`. Raises Unauthorized."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise Unauthorized("a session token is needed: Authorization: Bearer <token>")
    return token.strip().decode("latin-1")


async def send_answer(answer: ErrorAnswer, send: Send, extra: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """An error's answer as ASGI messages."""
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, *extra]})
    await send({"type": "http.response.body", "body": answer.body})


def known_method(method: str) -> str:
    """A method as a metric label: one of the usual, else `other`."""
    usual = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return method if method in usual else "other"
