"""Connections that do not behave: too many, too slow, headers without end. One watch per process, no timer per request.

uvicorn's HTTP protocol with bookkeeping on top; `Watch` looks at all connections every few seconds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from http_service.answers import ErrorAnswer, error_answer, raw_answer
from playhead import telemetry
from playhead.settings import Settings

MAX_HEADER_BYTES: Final = 65_536
#: wire bytes that a chunked body may have over its content: this many, and this many times the content
CHUNK_OVERHEAD_BYTES: Final = 262_144
CHUNK_OVERHEAD_FACTOR: Final = 16

TOO_SLOW = error_answer(408, "request_timeout", "The request came too slowly.")
HEADERS_TOO_LARGE = error_answer(431, "headers_too_large", "The headers are too large.")
BAD_REQUEST = error_answer(400, "bad_request", "This is not an HTTP request.")
BUSY = error_answer(503, "overloaded", "Too many connections.", headers=((b"retry-after", b"5"),))

_refused = telemetry.counter("playhead_http_refused_total")
_connections = telemetry.gauge("playhead_http_connections")


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds of one process; `most_connections` are served, a few more are told to come back."""

    header_timeout_s: float
    min_body_bytes_per_s: int
    most_connections: int
    body_window_s: float = 10.0  # a body's pace is judged over this
    leftover_s: float = 10.0  # for the rest of a body whose request was answered
    read_stall_s: float = 60.0  # for a client to read anything of its answer
    interval_s: float = 2.0  # between two looks

    @classmethod
    def of(cls, settings: Settings, *, open_files: int) -> Pace:
        """By the settings, with file handles left over for the stores."""
        fits = max(16, open_files - 256)
        return cls(
            settings.header_timeout_s, settings.min_body_bytes_per_s, min(settings.max_connections, fits)
        )


class GuardedProtocol(HttpToolsProtocol):
    """One connection; `pace` is set on a subclass per server, because uvicorn makes the instances."""

    pace: Pace

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._clock = self.loop.time
        self._since = self._clock()  # when the phase began that the watch looks at
        self._phase = "headers"  # headers | body | leftover | idle | answering
        self._wire = self._content = self._window = 0
        self._stalled_since = 0.0
        over = len(self.connections) - self.pace.most_connections
        if over > 0:
            if over > 64 + self.pace.most_connections // 16:
                transport.abort()
                return
            self.app = busy

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self._wire += size
        self._window += size
        if self._phase == "idle":
            self._enter("headers")
            self._wire = size
        super().data_received(data)
        if self._phase == "headers":
            if self._wire > MAX_HEADER_BYTES:
                self.refuse(HEADERS_TOO_LARGE, "Request Header Fields Too Large")
        elif self._phase == "body" and self._wire > (
            CHUNK_OVERHEAD_BYTES + CHUNK_OVERHEAD_FACTOR * self._content
        ):
            self.refuse(TOO_SLOW, "Request Timeout")

    def on_headers_complete(self) -> None:
        self._wire = self._content = self._window = 0
        self._enter("body")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._content += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._enter("idle" if self.cycle is None or self.cycle.response_complete else "answering")
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.cycle.response_complete:  # else this was the answer to an older request of a pipeline
            if self._phase == "answering":
                self._enter("idle")
            elif self._phase == "body":
                self._enter("leftover")
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(BAD_REQUEST, "Bad Request")

    def refuse(self, answer: ErrorAnswer, reason: str) -> None:
        """Answer if nothing of an answer went out yet, then close."""
        _refused.labels(reason.lower().replace(" ", "_")).inc()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(raw_answer(answer, reason))
        self.transport.close()

    def look(self, now: float) -> None:
        """What the watch does with this connection: end it if it is too slow."""
        if self.transport is None or self.transport.is_closing():
            return
        age = now - self._since
        if self._phase == "headers" and age > self.pace.header_timeout_s:
            if self._wire:
                self.refuse(TOO_SLOW, "Request Timeout")
            else:
                self.transport.close()
        elif self._phase == "body" and age >= self.pace.body_window_s:
            waiting_for_us = self.flow.read_paused or self.cycle.waiting_for_100_continue
            if not waiting_for_us and self._window < self.pace.min_body_bytes_per_s * age:
                self.refuse(TOO_SLOW, "Request Timeout")
            self._since, self._window = now, 0
        elif self._phase == "leftover" and age > self.pace.leftover_s:
            self.transport.close()
        if not self.flow.write_paused:
            self._stalled_since = 0.0
        elif not self._stalled_since:
            self._stalled_since = now
        elif now - self._stalled_since > self.pace.read_stall_s:
            self.transport.abort()

    def _enter(self, phase: str) -> None:
        self._phase, self._since = phase, self._clock()


class Watch:
    """Looks at every connection of one server until cancelled."""

    def __init__(self, connections: set[Any], interval_s: float) -> None:
        self._connections = connections
        self._interval_s = interval_s

    async def run(self) -> None:
        """Once per interval; with very many connections in slices, so that requests pass in between."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._interval_s)
            now = loop.time()
            _connections.set(len(self._connections))
            for count, connection in enumerate(list(self._connections)):
                connection.look(now)
                if count % 1000 == 999:
                    await asyncio.sleep(0)


async def busy(scope: Any, receive: Any, send: Any) -> None:
    """Answers 503 and ends the connection."""
    headers = [*BUSY.headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": BUSY.status, "headers": headers})
    await send({"type": "http.response.body", "body": BUSY.body})


def guarded(pace: Pace) -> type[asyncio.Protocol]:
    """The protocol class for one server."""
    return type("Guarded", (GuardedProtocol,), {"pace": pace})
