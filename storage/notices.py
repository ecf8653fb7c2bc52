"""Short texts between processes, by LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings
from storage.postgres_connection import CONNECT_TIMEOUT_S, Connection, away

PING_S = 15.0  # how often we look whether a silent server is still there
ANSWER_S = 10.0  # and how long it may take to answer
FIRST_PAUSE_S = 0.1  # before connecting again; doubles up to the last
LAST_PAUSE_S = 5.0
MAX_PAYLOAD_BYTES = 7_999  # Postgres takes no more


@dataclass(frozen=True, slots=True)
class _Subscriber:
    callback: Callable[[str], None]
    on_gap: Callable[[], None] | None


async def notify(conn_or_db: Any, channel: str, payload: str = "") -> None:
    """Send to every process that listens; inside a transaction: at its commit. Raises DatabaseUnavailable."""
    if len(payload.encode()) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a notice holds at most {MAX_PAYLOAD_BYTES} bytes")
    await conn_or_db.execute("SELECT pg_notify($1, $2)", channel, payload)


class Notices:
    """One connection that listens and comes back by itself.

    Delivery is at most once: what is sent while we are not connected is lost. `on_gap` tells a subscriber
    that this may have happened, so that it can look for itself.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._subscribers: dict[str, list[_Subscriber]] = {}
        self._conn: Any = None
        self._lost = asyncio.Event()
        self._busy = asyncio.Lock()  # one statement at a time

    @property
    def connected(self) -> bool:
        """Whether notices arrive now."""
        return self._conn is not None and not self._conn.is_closed()

    async def subscribe(
        self, channel: str, callback: Callable[[str], None], *, on_gap: Callable[[], None] | None = None
    ) -> None:
        """Call `callback(payload)` for each notice on the channel, and `on_gap()` after each reconnection.

        Listens when this returns or, if the database is away, from when it is back on.
        """
        async with self._busy:
            known = self._subscribers.setdefault(channel, [])
            known.append(_Subscriber(callback, on_gap))
            if len(known) == 1 and self.connected:
                try:
                    await self._conn.add_listener(channel, self._dispatch)
                except DatabaseUnavailable:
                    self._lost.set()  # the next connection listens

    async def publish(self, channel: str, payload: str = "") -> None:
        """Send to every subscriber, those of this process too. Raises DatabaseUnavailable."""
        async with self._busy:
            if not self.connected:
                raise DatabaseUnavailable("database: not connected for notices")
            await notify(self._conn, channel, payload)

    async def run(self, tried: asyncio.Event) -> None:
        """Stay connected for ever; `tried` is set after the first attempt, whatever came of it."""
        pause_s, gap = FIRST_PAUSE_S, False
        while True:
            try:
                await self._connect()
                tried.set()
                if gap:
                    self._tell_gap()
                pause_s = FIRST_PAUSE_S
                await self._stay()
            except (DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError):
                pause_s = min(pause_s * 2, LAST_PAUSE_S)
            if self._conn is not None:
                self._conn.terminate()
            tried.set()
            gap = True
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))

    async def close(self) -> None:
        """Disconnect; `run` must have ended."""
        if self.connected:
            with contextlib.suppress(Exception):
                await self._conn.close(timeout=1)

    async def _connect(self) -> None:
        with away():
            conn = await asyncpg.connect(
                self._dsn,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=ANSWER_S,
                connection_class=Connection,
                server_settings={"application_name": "playhead notices"},
            )
        self._lost.clear()
        conn.add_termination_listener(lambda _conn: self._lost.set())
        async with self._busy:
            self._conn = conn
            for channel in self._subscribers:
                await conn.add_listener(channel, self._dispatch)

    async def _stay(self) -> None:
        """Until the connection is lost. A server that vanished without a word is found by asking."""
        while not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), PING_S)
            if not self._lost.is_set():
                async with self._busy:
                    await self._conn.execute("SELECT 1")

    def _dispatch(self, _conn: Any, _pid: int, channel: str, payload: str) -> None:
        for subscriber in self._subscribers.get(channel, ()):
            _call(partial(subscriber.callback, payload))

    def _tell_gap(self) -> None:
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                if subscriber.on_gap is not None:
                    _call(subscriber.on_gap)


def _call(callback: Callable[[], None]) -> None:
    """A subscriber's fault is reported by the event loop and hurts nobody else."""
    try:
        callback()
    except Exception as problem:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a subscriber to notices failed", "exception": problem}
        )


@asynccontextmanager
async def open_notices(settings: Settings) -> AsyncIterator[Notices]:
    """Notices of `settings.database_url`, connected already unless the database is away."""
    notices, tried = Notices(settings.database_url), asyncio.Event()
    task = asyncio.create_task(notices.run(tried), name="notices")
    try:
        await tried.wait()
        yield notices
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await notices.close()
