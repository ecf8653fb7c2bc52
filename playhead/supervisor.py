"""`playhead serve`: everything on one machine in one command, and the children of `http` and `work`.

Order: data directory locked, address bound, Postgres (embedded unless a URL is set), migrations, secrets, child
processes on the inherited sockets. A kill -9 of any of them, or of the supervisor itself, loses nothing that was
acknowledged and leaves nothing behind that a new start would stumble over.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import socket
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playhead.children import Children, Role
from playhead.errors import AlreadyRunning, BadSettings, DatabaseUnavailable
from playhead.secrets import Secrets, open_secrets
from playhead.settings import PREFIX, Settings
from playhead.telemetry import POOL_VARIABLE, logger
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import migrate

READY_TIMEOUT_S = 60.0
LOOK_TIMEOUT_S = 2.0
STOP_SLACK_S = 5.0  # beyond drain and grace: sealing the journal, finishing a segment
DATABASE_POLL_S = 1.0
DATABASE_PATIENCE_S = 60.0

log = logger("playhead.supervisor")


@dataclass(frozen=True, slots=True)
class Running:
    """What `serve` tells when it is ready; `settings` with the database's URL filled in."""

    settings: Settings
    secrets: Secrets
    url: str
    children: Children
    stop: asyncio.Event


Announce = Callable[[Running], Coroutine[Any, Any, None]]


async def serve(settings: Settings, announce: Announce) -> None:
    """Run until SIGINT or SIGTERM (a second one ends at once). `announce` runs beside, once HTTP answers.

    Raises BadSettings, AlreadyRunning, Unavailable, OSError.
    """
    stop = asyncio.Event()
    _on_signals(stop, lambda: None)
    async with AsyncExitStack() as stack:
        stack.enter_context(_held(settings.data_dir))
        sockets = stack.enter_context(_bound(settings))
        settings = await stack.enter_async_context(_with_database(settings))
        if stop.is_set():
            return
        secrets = open_secrets(settings)
        roles = [
            *_http_roles(sockets, settings.http_processes),
            *(_work_role(number) for number in range(settings.worker_processes)),
        ]
        url = settings.public_url or address_of(settings.host, sockets[0])

        async def ready(children: Children) -> None:
            await announce(Running(settings, secrets, url, children, stop))

        stack.enter_context(_noted(settings.data_dir, url))

        await _run_children(settings, roles, stop, ready, pool="serve")


async def supervise_http(settings: Settings) -> None:
    """`playhead http` with several processes: they share one listening socket."""
    stop = asyncio.Event()
    with _bound(settings) as sockets:
        await _run_children(settings, list(_http_roles(sockets, settings.http_processes)), stop, pool="http")


async def supervise_work(settings: Settings) -> None:
    """`playhead work` with several processes."""
    roles = [_work_role(number) for number in range(settings.worker_processes)]
    await _run_children(settings, roles, asyncio.Event(), pool="work")


async def _run_children(
    settings: Settings,
    roles: list[Role],
    stop: asyncio.Event,
    announce: Callable[[Children], Coroutine[Any, Any, None]] | None = None,
    *,
    pool: str,
) -> None:
    """Keep these children until `stop`; `pool` names the folder in which their metrics meet."""
    metrics = _fresh_folder(settings.data_dir / "run" / f"metrics-{pool}")
    children = Children({**environment_of(settings), POOL_VARIABLE: str(metrics)}, metrics)
    _on_signals(stop, children.hurry)
    try:
        async with _unwrapped(), asyncio.TaskGroup() as tasks:
            keeping = [tasks.create_task(children.keep(role), name=role.name) for role in roles]
            announcing = tasks.create_task(announce(children)) if announce else None
            await stop.wait()
            if announcing is not None:
                announcing.cancel()
            await children.stop(settings.shutdown_drain_s + settings.shutdown_grace_s + STOP_SLACK_S)
            await asyncio.gather(*keeping)
    finally:
        children.close()


@asynccontextmanager
async def _unwrapped() -> AsyncIterator[None]:
    """The first failure of a task group as it is."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _http_roles(sockets: list[socket.socket], count: int) -> Iterator[Role]:
    descriptors = tuple(listener.fileno() for listener in sockets)
    options = tuple(word for number in descriptors for word in ("--fd", str(number)))
    for number in range(count):
        yield Role(f"http-{number + 1}", ("http", "--name", f"http-{number + 1}", *options), descriptors)


def _work_role(number: int) -> Role:
    return Role(f"work-{number + 1}", ("work", "--name", f"work-{number + 1}"))


def _on_signals(stop: asyncio.Event, hurry: Callable[[], None]) -> None:
    """First signal: stop in good order. Second: `hurry`."""

    def came() -> None:
        if stop.is_set():
            hurry()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, came)


@contextmanager
def _held(data_dir: Path) -> Iterator[None]:
    """Make the data directory and keep others off it. Raises AlreadyRunning, BadSettings."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = open(data_dir / "serve.lock", "a+")  # noqa: SIM115 - open as long as we run
    except OSError as problem:
        raise BadSettings([f"{PREFIX}DATA_DIR: {data_dir}: {problem.strerror}"]) from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise AlreadyRunning(
                f"{data_dir} is in use by another `playhead serve` (process {holder})"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def _bound(settings: Settings) -> Iterator[list[socket.socket]]:
    """Listening sockets, bound once and for all children. Raises BadSettings when the address is taken."""
    from http_service.listening import open_sockets

    try:
        sockets = open_sockets(settings)
    except OSError as problem:
        where = f"{settings.host}:{settings.port}"
        raise BadSettings([f"{PREFIX}PORT: cannot listen on {where}: {problem.strerror}"]) from problem
    try:
        yield sockets
    finally:
        for listener in sockets:
            listener.close()


@contextmanager
def _noted(data_dir: Path, url: str) -> Iterator[None]:
    """Commands that are run beside us find the address in the data directory."""
    path = address_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(url, "utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def _with_database(settings: Settings) -> AsyncIterator[Settings]:
    """Settings with a migrated database; an embedded server is kept alive within the block."""
    if settings.database_url:
        await _migrate_patiently(settings.database_url)
        yield settings
        return
    server = EmbeddedPostgres()
    try:
        dsn = await asyncio.to_thread(server.start, settings.data_dir)
        await migrate(dsn)
        keeper = asyncio.create_task(_keep_alive(server, settings.data_dir), name="embedded-postgres")
        try:
            yield settings.model_copy(update={"database_url": dsn})
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
    finally:
        await asyncio.to_thread(server.stop)


async def _migrate_patiently(dsn: str) -> None:
    """Migrate; a database that is still starting, as in a composition of containers, is waited for."""
    deadline = asyncio.get_running_loop().time() + DATABASE_PATIENCE_S
    while True:
        try:
            await migrate(dsn)
            return
        except DatabaseUnavailable as problem:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("database_awaited", reason=str(problem))
            await asyncio.sleep(DATABASE_POLL_S)


async def _keep_alive(server: EmbeddedPostgres, data_dir: Path) -> None:
    """Start a Postgres that died again, on the same port."""
    while True:
        await asyncio.sleep(DATABASE_POLL_S)
        if server.pid is None:
            log.error("embedded_postgres_ended")
            with contextlib.suppress(DatabaseUnavailable):
                await asyncio.to_thread(server.start, data_dir)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that gives a child exactly these settings."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name, info in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == "data_dir":
            value = value.resolve()
        if value != info.default:
            found[PREFIX + name.upper()] = str(value)
    return found


def address_path(data_dir: Path) -> Path:
    """Where a running `serve` says at which address it answers."""
    return data_dir / "run" / "address"


def address_of(host: str, listener: socket.socket) -> str:
    """URL at which this machine reaches the socket."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def answers(url: str, *, within_s: float = READY_TIMEOUT_S) -> bool:
    """Whether `url/healthz` answers 200 in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while asyncio.get_running_loop().time() < deadline:
        if await asyncio.to_thread(_is_healthy, url):
            return True
        await asyncio.sleep(0.1)
    return False


def _is_healthy(url: str) -> bool:
    """One look, past any proxy that the environment names."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/healthz", timeout=LOOK_TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _fresh_folder(path: Path) -> Path:
    try:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    except OSError as problem:
        raise BadSettings([f"{PREFIX}DATA_DIR: {path}: {problem.strerror}"]) from problem
    return path.resolve()
