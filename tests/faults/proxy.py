"""A TCP proxy that misbehaves on command: it throttles, holds back, cuts, refuses, and drops answers that were given.

Runs on the test's own event loop, so a test must not block it (`asyncio.to_thread` for whatever waits).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from random import Random

PIECE_BYTES = 65_536


class Proxy:
    """Before one port of this machine. Every attribute may change at any time and holds from then on.

    `lose_answers`: share of requests whose answer is thrown away, with its connection, after the server gave it (right
    for HTTP without pipelining); `bytes_per_s`: in each direction of each connection; `away`: nobody can connect.
    """

    def __init__(self, target_port: int, seed: str = "1") -> None:
        self._target_port = target_port
        self._dice = Random(f"proxy/{seed}")
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0
        self.lose_answers = 0.0
        self.bytes_per_s = 0.0
        self.away = False
        self.lost = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, target_port: int, seed: str = "1") -> AsyncIterator[Proxy]:
        """Listening for the length of a block."""
        proxy = cls(target_port, seed)
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()
            await asyncio.gather(*proxy._serving, return_exceptions=True)

    @property
    def url(self) -> str:
        """For HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End every connection in the middle of whatever it does."""
        for writer in tuple(self._open):
            writer.transport.abort()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            writer.transport.abort()
            return
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, target_writer)
        self._open.update(pair)
        asked = asyncio.Event()  # a request has gone since the last answer began
        pumps = [
            asyncio.create_task(self._pump(reader, target_writer, asked, answers=False)),
            asyncio.create_task(self._pump(target_reader, writer, asked, answers=True)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for each in pair:
                each.transport.abort()
            self._open.difference_update(pair)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: asyncio.Event,
        *,
        answers: bool,
    ) -> None:
        """Until one side ends, or an answer is lost."""
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(int(self.bytes_per_s / 10) or PIECE_BYTES):
                if not answers:
                    asked.set()
                elif asked.is_set():
                    asked.clear()
                    if self._dice.random() < self.lose_answers:
                        self.lost += 1
                        return
                if self.bytes_per_s:
                    await asyncio.sleep(len(piece) / self.bytes_per_s)
                writer.write(piece)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
                await asyncio.sleep(0)
