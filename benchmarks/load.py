"""A light HTTP load: connections that send prepared requests again and again, as fast as answers come."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop


@dataclass(slots=True)
class Load:
    """What came of it: answers, those that were no success, latencies in s."""

    seconds: float = 0.0
    answers: int = 0
    failures: int = 0
    bytes: int = 0  # of answers' bodies
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    def percentile(self, share: float) -> float:
        """Latency in ms that this share of the requests stayed under."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class _Sender(asyncio.Protocol):
    """One connection: the next request goes out when the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], load: Load, until: float) -> None:
        self._requests = requests
        self._load = load
        self._until = until
        self._began = 0.0
        self._head = b""
        self._missing = 0  # bytes of the body that are still to come; -1: the head is not whole
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._send()

    def _send(self) -> None:
        self._head, self._missing = b"", -1
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = head
            length = _LENGTH.search(head)
            self._missing = int(length[1]) if length else 0
            self._load.bytes += self._missing
        self._missing -= len(data)
        if self._missing > 0:
            return
        now = time.perf_counter()
        self._load.latencies.append(now - self._began)
        self._load.answers += 1
        self._load.failures += not self._head.startswith(b"HTTP/1.1 2")
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def _run(ports: Sequence[int], requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    load = Load()
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    senders = []
    for number in range(connections):
        _, sender = await loop.create_connection(
            lambda: _Sender(requests, load, began + seconds), "127.0.0.1", ports[number % len(ports)]
        )
        senders.append(sender)
    await asyncio.gather(*(sender.done for sender in senders))
    load.seconds = time.perf_counter() - began
    return load


def run(port: int | Sequence[int], *requests: bytes, connections: int, seconds: float) -> Load:
    """Send these requests in turn over `connections`, spread over the ports, for `seconds`."""
    return stream(port, itertools.cycle(requests), connections=connections, seconds=seconds)


def stream(port: int | Sequence[int], requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    """Send requests as they are made; there must be enough."""
    ports = (port,) if isinstance(port, int) else port
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(ports, requests, connections, seconds))


async def steadily(
    port: int, requests: Iterator[bytes], rate: float, ended: asyncio.Event, *, connections: int = 16
) -> int:
    """Requests at `rate` per second until `ended` or none is left -> how many were answered with success."""
    began, taken = time.perf_counter(), 0

    async def one() -> None:
        nonlocal taken
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        mine = 0
        while not ended.is_set() and (request := next(requests, None)) is not None:
            ahead_s = began + mine * connections / rate - time.perf_counter()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            mine += 1
            taken += head.startswith(b"HTTP/1.1 2")
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return taken


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A prepared POST."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, headers: dict[str, str]) -> bytes:
    """A prepared GET."""
    lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
