"""What a child process of `serve` runs, or the only process of `http` and `work` in a fleet."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from playhead.children import bind_to_parent, terminate_on
from playhead.database_metrics import watch
from playhead.errors import BadSettings, Unavailable
from playhead.settings import Settings
from playhead.spare_memory import bound_heaps, give_back_for_ever
from playhead.telemetry import configure_logging, counter, logger
from playhead.wiring import Services, open_services
from storage.migrate import pending

log = logger("playhead.processes")


def begin(settings: Settings, name: str, *, lifeline: int | None = None, again: bool = False) -> None:
    """First thing in a process: its name in log lines, its tie to the parent, few heaps."""
    bound_heaps()
    configure_logging(settings.log_level, as_json=settings.log_json, process=name)
    if lifeline is not None:
        bind_to_parent(lifeline)
    if again:
        counter("playhead_process_restarts_total").labels(name.partition("-")[0]).inc()


def run_http(settings: Settings, descriptors: Sequence[int]) -> None:
    """Answer on inherited sockets, or on one's own if there are none, until SIGTERM or SIGINT."""
    from http_service.listening import open_sockets

    sockets = [socket.socket(fileno=number) for number in descriptors] or open_sockets(settings)
    _run(_http(settings, sockets))


def run_work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    _run(_work(settings))


async def _http(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    from http_service.server import serve

    stop = asyncio.Event()
    terminate_on((signal.SIGTERM, signal.SIGINT), stop)
    async with open_services(settings, role="http") as services:
        await _refuse_old_schema(services)
        async with _beside(watch(services), give_back_for_ever()):
            await serve(services, sockets, stop=stop)


async def _work(settings: Settings) -> None:
    from workers.runner import run

    async with open_services(settings, role="work") as services:
        await _refuse_old_schema(services)
        async with _beside(give_back_for_ever(cycles=True)):
            await run(services)


@asynccontextmanager
async def _beside(*chores: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """These run during the block."""
    tasks = [asyncio.create_task(each) for each in chores]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _refuse_old_schema(services: Services) -> None:
    """Raises BadSettings if the schema is older than this program; a database that is away is no reason to wait."""
    try:
        missing = await pending(services.db)
    except Unavailable:
        log.warning("database_away")
        return
    if missing:
        raise BadSettings([f"the database lacks {', '.join(missing)}: run `playhead migrate` first"])


def _run(main: Coroutine[Any, Any, None]) -> None:
    """On uvloop where there is one."""
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    uvloop.run(main)
