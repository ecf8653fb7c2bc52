"""Errors to HTTP: the only place with the status codes of refusals.

One shape on every route (spec/event-service.md 2): `{"error": {"code", "message", "details"}}`; only protocols whose
clients read another have their own Words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic import BaseModel

from playhead import errors
from playhead.errors import Detail, PlayheadError


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and what the SDKs do next when they see it (spec/openreplay-mobile.md 1.5)."""

    status: int
    then: str


_RESEND = "iOS and Android keep the batch and send it again at the next flush"

ANSWERS: dict[type[PlayheadError], Answer] = {
    errors.InvalidBody: Answer(400, "start: iOS asks again for ever, Android 5 times"),
    errors.ValidationFailed: Answer(422, "final"),
    errors.Unauthorized: Answer(401, "iOS starts a new session, Android sends the same again"),
    errors.TokenTimedOut: Answer(401, "iOS starts a new session and sends the batch there"),
    errors.Forbidden: Answer(403, "start: iOS asks again for ever, Android 5 times"),
    errors.SampledOut: Answer(403, "asks again and gets the same answer"),
    errors.NotFound: Answer(404, "start: as 403"),
    errors.MethodNotAllowed: Answer(405, "final"),
    errors.Conflict: Answer(409, "final"),
    errors.TooLarge: Answer(413, _RESEND),
    errors.UnsupportedMedia: Answer(415, _RESEND),
    errors.Unprocessable: Answer(422, "start: as 403"),
    errors.UpgradeRequired: Answer(426, "start: as 403"),
    errors.RateLimited: Answer(429, _RESEND),
    errors.Unavailable: Answer(503, _RESEND),
    errors.ObjectMissing: Answer(404, "final"),
    errors.PlayheadError: Answer(500, _RESEND),
}


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What goes out: status, headers of its own, JSON body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


Shape = Callable[[str, str, Sequence[Detail]], bytes]


@dataclass(frozen=True, slots=True)
class Words:
    """Refusals as a protocol's own clients read them, instead of the one shape; `status`: where its own differ."""

    model: type[BaseModel]
    shape: Shape
    status: Mapping[int, int]

    def answer_to(self, problem: BaseException) -> ErrorAnswer:
        """As the function of this name, in these words."""
        answer = answer_to(problem, self.shape)
        return replace(answer, status=self.status.get(answer.status, answer.status))


def answer_of(kind: type[BaseException]) -> Answer:
    """The row of the table that fits an error class best, by its bases."""
    return next((ANSWERS[base] for base in kind.__mro__ if base in ANSWERS), ANSWERS[PlayheadError])


def one_shape(code: str, message: str, details: Sequence[Detail]) -> bytes:
    """`{"error": {"code", "message", "details"}}`."""
    told = [{"field": d.field, "code": d.code, "message": d.message} for d in details]
    return orjson.dumps({"error": {"code": code, "message": message, "details": told}})


def answer_to(problem: BaseException, shape: Shape = one_shape) -> ErrorAnswer:
    """The answer to an error. What is not ours, or is ours but no answer, tells nothing but "internal error"."""
    status = answer_of(type(problem)).status
    if not isinstance(problem, PlayheadError) or status == 500:
        message = "Something went wrong here; it has been logged."
        return error_answer(500, "internal_error", message, shape=shape)
    if isinstance(problem, errors.ObjectMissing):
        return error_answer(404, "not_found", "Nothing here under that name.", shape=shape)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(problem, errors.Unavailable):
        headers = ((b"retry-after", str(problem.retry_after_s).encode()),)
    elif status == 401:
        headers = ((b"www-authenticate", b"Bearer"),)
    return error_answer(status, problem.code, str(problem), problem.details, headers, shape)


def error_answer(
    status: int,
    code: str,
    message: str,
    details: Sequence[Detail] = (),
    headers: tuple[tuple[bytes, bytes], ...] = (),
    shape: Shape = one_shape,
) -> ErrorAnswer:
    """An answer in the one JSON error shape, or another."""
    body = shape(code, message, details)
    own = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    return ErrorAnswer(status, own + headers, body)


def raw_answer(answer: ErrorAnswer, reason: str) -> bytes:
    """The same as bytes of HTTP/1.1 that end the connection, for requests that never became one."""
    lines = [b"HTTP/1.1 %d %s" % (answer.status, reason.encode())]
    lines += [name + b": " + value for name, value in answer.headers]
    return b"\r\n".join([*lines, b"connection: close", b"", answer.body])
