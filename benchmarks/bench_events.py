"""Durable posts of events beside a bare Starlette route that reads the same body, and how soon events are found.

    python -m benchmarks.bench_events [--seconds 5] [--rounds 3] [--connections 64]

One server process, one worker process and one load process, in turns: bare, Playhead, bare, Playhead. Medians of the
rounds. Then, at half the rate of single events, the time from the answer to a query that finds the event.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import structlog
import uvloop

from benchmarks import load, machine
from benchmarks.bench_append import listener_of, serve_bare, wait_for
from playhead.settings import Settings
from playhead.wiring import open_services
from projects.changes import ProjectCreate
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import ensure_event_partitions, migrate

ADMIN_KEY = "bench"
TOKEN_SECRET = "bench"
HEADERS = {"x-project-key": "bench", "content-type": "application/json"}
PATH = "/api/v1/events"
BARE_PATH = "/v1/mobile/i"
LOOK_S = 0.05  # between two looks for an event


def _settings(dsn: str, folder: str) -> Settings:
    return Settings(
        database_url=dsn, data_dir=Path(folder), admin_key=ADMIN_KEY, token_secrets=TOKEN_SECRET,
        requests_per_project_per_s=0, appends_per_session_per_s=0,
    )  # fmt: skip


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def serve(listener: socket.socket, dsn: str, folder: str) -> None:
    """An HTTP process."""
    from http_service import server

    _quiet()

    async def main() -> None:
        async with open_services(_settings(dsn, folder), role="http") as services:
            await server.serve(services, [listener], stop=asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def work(dsn: str, folder: str) -> None:
    """A worker process."""
    from workers.runner import run

    _quiet()

    async def main() -> None:
        async with open_services(_settings(dsn, folder), role="work") as services:
            await run(services)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def prepare(dsn: str, folder: str) -> None:
    """Schema and project."""
    await migrate(dsn)
    async with open_services(_settings(dsn, folder), role="cli") as services:
        await ensure_event_partitions(services.db)
        await services.projects.create(ProjectCreate(name="Bench", key="bench"))


# -- what is sent


def _event(number: int, *, named: bool, session_id: str = "e2085be5-9137-4e4e-80b5-f1ffddc25423") -> Any:
    """An event of about 330 bytes; `named`: with an identifier, to be made unique later."""
    event: dict[str, Any] = {
        "session_id": session_id,
        "category": "page interaction",
        "name": "cta click",
        "data": {
            "host": "www.example.com",
            "path": f"/shop/{number}",
            "element": "add to cart",
            "sku": f"A-{number:06}",
            "price": 1999,
            "tags": ["autumn", "sale"],
        },
        "timestamp": "2026-11-01 09:15:27.243860",
    }
    return {**event, "id": f"@@@@@@@@-{number:04}"} if named else event


@dataclass(frozen=True, slots=True)
class Case:
    """One row: so many events in a request, with identifiers given or not."""

    name: str
    count: int
    named: bool

    def body(self) -> bytes:
        """A request's body."""
        events = [_event(n, named=self.named) for n in range(self.count)]
        return orjson.dumps(events[0] if self.count == 1 else events)

    def requests(self, path: str, numbers: Iterator[int]) -> Iterator[bytes]:
        """Endless requests; every identifier is new."""
        request = load.post(path, self.body(), HEADERS)
        if not self.named:
            return itertools.repeat(request)
        return (request.replace(b"@@@@@@@@", b"%08d" % number) for number in numbers)


CASES = (
    Case("1 event", 1, False),
    Case("1 event, id given", 1, True),
    Case("100 events", 100, False),
    Case("100 events, ids given", 100, True),
)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=64)
    chosen = arguments.parse_args()
    _quiet()
    print(f"machine: {machine.describe()}")
    print(f"{chosen.connections} connections, {chosen.rounds} rounds of {chosen.seconds:g} s each")
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as folder:
        postgres = EmbeddedPostgres()
        dsn = postgres.start(Path(folder) / "postgres")
        servers: list[Any] = []

        def start(target: Callable[..., None], *args: Any) -> None:
            servers.append(spawn.Process(target=target, args=args, daemon=True))
            servers[-1].start()

        try:
            asyncio.run(prepare(dsn, folder))
            ports = {}
            for name, target, more in (("bare", serve_bare, ()), ("playhead", serve, (dsn, folder))):
                listener = listener_of()
                ports[name] = listener.getsockname()[1]
                start(target, listener, *more)
                listener.close()
            rate = _table(ports, chosen)
            start(work, dsn, folder)
            uvloop.run(_visibility(ports["playhead"], rate / 2, chosen.seconds * chosen.rounds))
        finally:
            for process in servers:
                process.terminate()
                process.join(15)
            postgres.stop()


def _table(ports: dict[str, int], chosen: argparse.Namespace) -> float:
    """Prints posts per s -> those of single events."""
    numbers = itertools.count()
    paths = {"bare": BARE_PATH, "playhead": PATH}
    single = 0.0
    print(
        f"{'':<22} {'bytes':>7} {'bare r/s':>9} {'p99 ms':>7} {'durable r/s':>12} {'events/s':>9} {'p99 ms':>7} ratio"
    )
    for case in CASES:
        found: dict[str, list[load.Load]] = {"bare": [], "playhead": []}
        for name, port in ports.items():
            requests = case.requests(paths[name], numbers)
            wait_for(port, next(requests))
            load.stream(port, requests, connections=chosen.connections, seconds=1)
        for _ in range(chosen.rounds):
            for name, port in ports.items():
                requests = case.requests(paths[name], numbers)
                outcome = load.stream(port, requests, connections=chosen.connections, seconds=chosen.seconds)
                if outcome.failures:
                    raise SystemExit(f"{name}: {outcome.failures} answers were no success")
                found[name].append(outcome)
        rates = {name: statistics.median(o.per_second for o in runs) for name, runs in found.items()}
        tails = {name: statistics.median(o.percentile(0.99) for o in runs) for name, runs in found.items()}
        single = single or rates["playhead"]
        bare, durable = rates["bare"], rates["playhead"]
        print(
            f"{case.name:<22} {len(case.body()):>7,} {bare:>9,.0f} {tails['bare']:>7.1f} {durable:>12,.0f} "
            f"{durable * case.count:>9,.0f} {tails['playhead']:>7.1f} {durable / bare:>5.2f}"
        )
    return single


# -- how soon an event is found


async def _visibility(port: int, rate: float, seconds: float) -> None:
    """Posts at a steady rate; every tenth of a second one event is looked for until a query finds it."""
    waits: list[float] = []
    ended = asyncio.Event()
    base_url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as client:
        await _look(client, "what the rounds left is worked off", [])
        request = load.post(PATH, CASES[0].body(), HEADERS)
        background = asyncio.create_task(load.steadily(port, itertools.repeat(request), rate, ended))
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            number = 0
            while time.perf_counter() - began < seconds:
                tasks.create_task(_look(client, f"looked-for-{number}", waits))
                number += 1
                await asyncio.sleep(0.1)
        ended.set()
        sent = await background
    waits.sort()
    p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    print(
        f"\nat {sent / (time.perf_counter() - began):,.0f} posts/s, {len(waits)} events looked for: found after "
        f"{p50:.2f} s (p50), {p99:.2f} s (p99), {waits[-1]:.2f} s (longest)"
    )


async def _send(client: httpx.AsyncClient, session_id: str) -> None:
    event = _event(0, named=False, session_id=session_id)
    answer = await client.post(PATH, json=event, headers=HEADERS)
    assert answer.status_code == 202, answer.text


async def _found(client: httpx.AsyncClient, session_id: str) -> Any:
    """The event that a query by session finds, none yet."""
    params = {"project": "bench", "session_id": session_id}
    answer = await client.get(PATH, params=params, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
    return next(iter(answer.json()["events"]), None)


async def _look(client: httpx.AsyncClient, session_id: str, waits: list[float]) -> None:
    await _send(client, session_id)
    answered = time.perf_counter()
    for _ in itertools.count():
        if await _found(client, session_id) is not None:
            break
        await asyncio.sleep(LOOK_S)
    waits.append(time.perf_counter() - answered)


if __name__ == "__main__":
    main()
