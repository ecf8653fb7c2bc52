"""What a second and a third process add, over one Postgres, one Redis and one S3 server on this machine.

    python -m benchmarks.bench_fleet [--widths 1 2 3] [--seconds 6] [--sessions 60] [--batches 40]

First durable appends (4 kB, acknowledged when S3 has them) through 1, 2, 3 `playhead http`, no worker beside them; then
1, 2, 3 `playhead work` empty a journal that was filled before. Everything shares the machine's cores with the load, so
throughput ends where the cores do: the columns of CPU tell who used them. What scales to more machines is that the
CPU of Playhead's own processes per 1,000 batches stays the same.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from benchmarks import load, machine
from benchmarks.bench_append import wait_for
from benchmarks.bench_processing import PER_BATCH, fill
from benchmarks.process_memory import processor_seconds
from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from sessions.ids import SessionIds
from sessions.tokens import Tokens
from storage.migrate import ensure_event_partitions, migrate
from tests.faults.town import Playhead
from tests.servers import PostgresServer, RedisServer, S3Server

BODY_BYTES = 4_000
CONNECTIONS = 64
SECRET = "bench"
LIMIT_S = 120.0
SIZE = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a fleet stands on."""

    postgres: PostgresServer
    redis: RedisServer
    store: S3Server

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator[Ground]:
        """All three, for a block."""
        ground = cls(PostgresServer(fast=False), RedisServer(), S3Server())
        servers = (ground.postgres, ground.redis, ground.store)
        try:
            for server in servers:
                server.start()
            yield ground
        finally:
            for server in servers:
                server.close()

    def spent(self) -> dict[str, float]:
        """CPU seconds of each so far."""
        named = {"Postgres": self.postgres.pid, "S3": self.store.pid, "Redis": self.redis.pid}
        return {name: processor_seconds(pid) for name, pid in named.items() if pid is not None}


@contextlib.contextmanager
def _processes(role: str, count: int, environ: dict[str, str], folder: Path) -> Iterator[list[Playhead]]:
    """So many of a role, each with a data directory of its own, as on machines of their own."""
    found = [
        Playhead(role, environ | {"PLAYHEAD_DATA_DIR": str(folder / f"{role}-{number}")})
        for number in range(count)
    ]
    try:
        for process in found:
            process.start()
        yield found
    finally:
        for process in found:
            process.stop()
            process.close()


def _spent(processes: Sequence[Playhead]) -> float:
    return sum(processor_seconds(process.pid) for process in processes if process.pid is not None)


def _line(
    width: int, rate: float, first: float, batches: float, spent: float, wall: float, cpu: dict[str, float]
) -> None:
    per = spent / batches * 1000
    shares = "  ".join(f"{name} {seconds / wall:.2f}" for name, seconds in cpu.items())
    print(f"{width:>9} {rate:>11,.0f} {rate / first:>7.2f} {per:>19.2f}   {shares}")


def _heading(what: str, unit: str, who: str) -> None:
    print(f"\n{what}")
    print(f"{'processes':>9} {unit:>11} {'to one':>7} {'CPU s/1,000 batches':>19}   cores used by: {who}")


def appends(
    ground: Ground, environ: dict[str, str], folder: Path, widths: Sequence[int], seconds: float
) -> None:
    """Through more and more HTTP processes."""
    _heading(f"durable appends of {BODY_BYTES:,} bytes, {CONNECTIONS} connections", "batches/s", "each")
    now_ms = time.time_ns() // 1_000_000
    token = Tokens([SECRET], lambda: now_ms).sign(
        SessionIds().new(now_ms), 1, lifetime_ms=7_200_000, platform="ios"
    )
    request = load.post("/v1/mobile/i", os.urandom(BODY_BYTES), {"authorization": f"Bearer {token}"})
    first = 0.0
    for width in widths:
        with _processes("http", width, environ, folder) as processes:
            ports = [process.port for process in processes]
            for port in ports:
                wait_for(port, request)
            load.run(ports, request, connections=CONNECTIONS, seconds=1)
            before, own, ours = ground.spent(), time.process_time(), _spent(processes)
            found = load.run(ports, request, connections=CONNECTIONS, seconds=seconds)
            spent = _spent(processes) - ours
            cpu = {"http": spent, "load": time.process_time() - own}
            cpu |= {name: after - before[name] for name, after in ground.spent().items()}
        if found.failures:
            raise SystemExit(f"{found.failures} of {found.answers} answers were no success")
        first = first or found.per_second
        _line(width, found.per_second, first, found.answers, spent, found.seconds, cpu)


async def processing(
    ground: Ground, settings: Settings, environ: dict[str, str], folder: Path, chosen: argparse.Namespace
) -> None:
    """By more and more workers, each time from a journal that is full when they begin."""
    batches = chosen.sessions * chosen.batches
    _heading(f"processing {batches:,} batches of {PER_BATCH} messages", "messages/s", "each")
    first = 0.0
    async with open_services(settings, role="work") as services:
        await ensure_event_partitions(services.db)
        project = await services.projects.create(ProjectCreate(name="Bench", key="bench"))
        empty = await services.db.fetchval(SIZE)
        for width in chosen.widths:
            messages = await fill(services, project.project_id, chosen.sessions, chosen.batches, together=500)
            await asyncio.sleep(2)
            waiting, _ = await services.segments.waiting()
            before = ground.spent()
            with _processes("work", width, environ, folder) as processes:
                left, began, idle = await _begun(services, waiting, processes)
                await _done(services)
                wall = time.perf_counter() - began
                spent = _spent(processes) - idle
            cpu = {"work": spent}
            cpu |= {name: after - before[name] for name, after in ground.spent().items()}
            share = left / waiting  # of all, in this time
            rate = messages * share / wall
            first = first or rate
            _line(width, rate, first, batches * share, spent, wall, cpu)
        rows = await services.db.fetchval("SELECT count(*) FROM events")
        grown = await services.db.fetchval(SIZE) - empty
        print(
            f"\n{grown / rows:.0f} bytes in Postgres, all tables and indexes, for each of {rows:,} rows of events"
        )


async def _begun(services: Services, waiting: int, processes: Sequence[Playhead]) -> tuple[int, float, float]:
    """(Segments left, time, CPU used for starting) when the first segment was done."""
    deadline = time.monotonic() + LIMIT_S
    while (left := (await services.segments.waiting())[0]) >= waiting:
        if time.monotonic() > deadline:
            raise SystemExit("no worker begins")
        await asyncio.sleep(0.01)
    return left, time.perf_counter(), _spent(processes)


async def _done(services: Services) -> None:
    deadline = time.monotonic() + LIMIT_S
    while (await services.segments.waiting())[0]:
        if time.monotonic() > deadline:
            raise SystemExit("the workers do not come to an end")
        await asyncio.sleep(0.02)


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--widths", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--seconds", type=float, default=6)
    arguments.add_argument("--sessions", type=int, default=60)
    arguments.add_argument("--batches", type=int, default=40)
    chosen = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"machine: {machine.describe()}")
    with Ground.started() as ground, tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as name:
        folder = Path(name)
        for phase in ("appends", "processing"):
            bucket = ground.store.new_bucket()
            os.environ.update(bucket.environment)
            settings = Settings(
                database_url=ground.postgres.dsn,
                redis_url=ground.redis.url,
                data_dir=folder,
                token_secrets=SECRET,
                admin_key=SECRET,
                appends_per_session_per_s=0,
                segment_target_bytes=60_000,
                **bucket.settings,
            )
            changed = settings.model_dump(exclude_defaults=True, exclude={"data_dir"})
            environ = {f"PLAYHEAD_{key.upper()}": str(value) for key, value in changed.items()}
            if phase == "appends":
                asyncio.run(migrate(ground.postgres.dsn))
                appends(ground, environ, folder, chosen.widths, chosen.seconds)
                asyncio.run(_forget_segments(settings))
            else:
                asyncio.run(processing(ground, settings, environ, folder, chosen))


async def _forget_segments(settings: Settings) -> None:
    """What was appended is nobody's: workers begin with nothing."""
    async with open_services(settings, role="cli") as services:
        await services.db.execute("TRUNCATE segments CASCADE")


if __name__ == "__main__":
    main()
