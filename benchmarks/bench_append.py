"""Durable appends over HTTP beside a bare Starlette route that reads the same body.

    python -m benchmarks.bench_append [--seconds 5] [--rounds 3] [--connections 64]

One server process and one load process, in turns: bare, Playhead, bare, Playhead. Medians of the rounds. Rates depend
on the load process and the disk, too; beside them stands what a request costs the server's process, µs of CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import load, machine

SIZES = (4_000, 32_000)


def serve_bare(listener: socket.socket) -> None:
    """A Starlette route that reads its body and answers 200."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def read(request: Request) -> Response:
        await request.body()
        return Response(status_code=200)

    app = Starlette(routes=[Route("/v1/mobile/i", read, methods=["POST"])])
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        lifespan="off",
        server_header=False,
    )
    server = uvicorn.Server(config)
    asyncio.run(server.serve([listener]))


def _serve_playhead(listener: socket.socket, dsn: str, data_dir: str) -> None:
    import uvloop

    from http_service import server
    from playhead.settings import Settings
    from playhead.wiring import open_services

    async def main() -> None:
        settings = Settings(
            database_url=dsn,
            data_dir=Path(data_dir),
            token_secrets="bench",
            admin_key="bench",
            appends_per_session_per_s=0,
        )
        async with open_services(settings, role="http") as services:
            await server.serve(services, [listener], stop=asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _token() -> str:
    from sessions.ids import SessionIds
    from sessions.tokens import Tokens

    now_ms = time.time_ns() // 1_000_000
    tokens = Tokens(["bench"], lambda: now_ms)
    return tokens.sign(SessionIds().new(now_ms), 1, lifetime_ms=7_200_000, platform="ios")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round showed: answers per second, the latency that 99 % stayed under, CPU of the server per answer."""

    per_second: float
    p99_ms: float
    cpu_us: float

    @classmethod
    def run(cls, server: Any, port: int, request: bytes, chosen: argparse.Namespace) -> Round:
        """One round of load. SystemExit if an answer was no success."""
        process = psutil.Process(server.pid)
        before = process.cpu_times()
        outcome = load.run(port, request, connections=chosen.connections, seconds=chosen.seconds)
        after = process.cpu_times()
        if outcome.failures:
            raise SystemExit(f"{outcome.failures} answers were no success")
        spent = after.user + after.system - before.user - before.system
        return cls(outcome.per_second, outcome.percentile(0.99), spent / outcome.answers * 1e6)


def listener_of() -> socket.socket:
    """A socket on a free port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    listener.setblocking(False)
    return listener


def wait_for(port: int, request: bytes) -> None:
    """Until the server answers."""
    for _ in range(200):
        try:
            if load.run(port, request, connections=1, seconds=0.01).answers:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=64)
    chosen = arguments.parse_args()
    print(f"machine: {machine.describe()}")
    print(
        f"{chosen.connections} connections, {chosen.rounds} rounds of {chosen.seconds:g} s each, one server process"
    )

    from storage.embedded_postgres import EmbeddedPostgres
    from storage.migrate import migrate

    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as folder:
        postgres = EmbeddedPostgres()
        dsn = postgres.start(Path(folder) / "postgres")
        servers: dict[str, Any] = {}
        try:
            asyncio.run(migrate(dsn))
            ports = {}
            for name, target, args in (
                ("bare", serve_bare, ()),
                ("playhead", _serve_playhead, (dsn, folder)),
            ):
                listener = listener_of()
                ports[name] = listener.getsockname()[1]
                process = spawn.Process(target=target, args=(listener, *args), daemon=True)
                process.start()
                listener.close()
                servers[name] = process
            _table(servers, ports, chosen)
        finally:
            for process in servers.values():
                process.terminate()
                process.join(15)
            postgres.stop()


def _table(servers: dict[str, Any], ports: dict[str, int], chosen: argparse.Namespace) -> None:
    print(
        f"{'body':>8} {'bare r/s':>10} {'p99 ms':>8} {'CPU us':>8} "
        f"{'durable r/s':>12} {'p99 ms':>8} {'CPU us':>8} {'ratio':>6} {'of CPU':>7}"
    )
    for size in SIZES:
        headers = {"authorization": f"Bearer {_token()}", "content-type": "application/octet-stream"}
        request = load.post("/v1/mobile/i", os.urandom(size), headers)
        found: dict[str, list[Round]] = {"bare": [], "playhead": []}
        for port in ports.values():
            wait_for(port, request)
            load.run(port, request, connections=chosen.connections, seconds=1)
        for _ in range(chosen.rounds):
            for name, port in ports.items():
                found[name].append(Round.run(servers[name], port, request, chosen))
        bare, durable = (
            Round(*(statistics.median(getattr(each, part) for each in rounds) for part in Round.__slots__))
            for rounds in found.values()
        )
        print(
            f"{size:>8,} {bare.per_second:>10,.0f} {bare.p99_ms:>8.1f} {bare.cpu_us:>8.0f} "
            f"{durable.per_second:>12,.0f} {durable.p99_ms:>8.1f} {durable.cpu_us:>8.0f} "
            f"{durable.per_second / bare.per_second:>6.2f} {bare.cpu_us / durable.cpu_us:>7.2f}"
        )


if __name__ == "__main__":
    main()
