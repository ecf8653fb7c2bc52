"""A real server on a real socket inside the test's loop, and raw connections to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from starlette.types import ASGIApp

from http_service.guard import Pace, Watch
from http_service.server import Server, make_server

PACE = Pace(header_timeout_s=20, min_body_bytes_per_s=1000, most_connections=1000)


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, pace: Pace = PACE, *, grace_s: float = 2, port: int = 0
) -> AsyncIterator[tuple[Server, int]]:
    """(server, port) while the block runs; port 0 picks a free one."""
    listener = socket.create_server(("127.0.0.1", port))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    server = make_server(app, pace, grace_s=grace_s)
    ready = asyncio.Event()
    server.on_ready = ready.set
    watching = asyncio.create_task(Watch(server.server_state.connections, pace.interval_s).run())
    task = asyncio.create_task(server.serve([listener]))
    try:
        await ready.wait()
        yield server, port
    finally:
        server.should_exit = True
        await task
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain connection."""
    return await asyncio.open_connection("127.0.0.1", port)


async def talk(port: int, data: bytes, timeout_s: float = 10) -> bytes:
    """Send these bytes, and read until the server closes."""
    reader, writer = await connect(port)
    try:
        writer.write(data)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), timeout_s)
    finally:
        writer.close()


async def until(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(timeout_s):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer with a Content-Length: status, headers, body."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await asyncio.wait_for(reader.readexactly(int(headers.get("content-length", 0))), 10)
    return int(head[0].split()[1]), headers, body
