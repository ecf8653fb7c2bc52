"""One HTTP process: uvicorn (httptools, uvloop) on sockets that the supervisor opened, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import uvicorn
from starlette.types import ASGIApp

from http_service.app import build_app
from http_service.guard import Pace, Watch, guarded
from http_service.listening import BACKLOG
from playhead import telemetry

if TYPE_CHECKING:
    from playhead.wiring import Services

KEEP_ALIVE_S: Final = 75
GC_THRESHOLD: Final = (50_000, 50, 50)

_log = telemetry.logger("http_service.server")


class Server(uvicorn.Server):
    """Stops by `should_exit`; leaves signals to whoever runs it. `on_ready` is called once it listens."""

    on_ready: Callable[[], None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then take what start-up left behind out of the garbage collector's sight."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLD)
        _log.info("http_ready")
        if self.on_ready is not None:
            self.on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    services: Services,
    sockets: Sequence[socket.socket],
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Answer on `sockets` until `stop` is set and `shutdown_drain_s` more, then finish what is under way within
    `shutdown_grace_s`.

    Raises BadSettings. The sockets are closed at the end.
    """
    settings = services.settings
    pace = Pace.of(settings, open_files=raise_file_limit())
    server = make_server(build_app(services, stop), pace, grace_s=settings.shutdown_grace_s)
    server.on_ready = on_ready
    watch = Watch(server.server_state.connections, pace.interval_s)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.run(), name="watch-connections")
        ending = tasks.create_task(_exit_on(stop, server, settings.shutdown_drain_s), name="wait-for-stop")
        try:
            await server.serve(list(sockets))
        finally:
            watching.cancel()
            ending.cancel()
    _log.info("http_stopped")


def make_server(app: ASGIApp, pace: Pace, *, grace_s: float) -> Server:
    """A server for this app, not yet listening."""
    config = uvicorn.Config(
        app,
        http=guarded(pace),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(grace_s)),
    )
    # a line for each malformed request would be an attacker's way to fill the disk; they are counted instead
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return Server(config)


def raise_file_limit() -> int:
    """Raise the limit on open files as far as allowed -> what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 1_048_576
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


async def _exit_on(stop: asyncio.Event, server: Server, drain_s: float) -> None:
    await stop.wait()
    await asyncio.sleep(drain_s)
    server.should_exit = True
