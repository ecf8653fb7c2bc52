"""From the acknowledgement of a batch to the queries that find it, at half of what one installation can do.

    python -m benchmarks.bench_visible [--sessions 200] [--batches 50] [--seconds 20]

One HTTP process, one worker process, embedded Postgres with fsync on, and the load, all on one machine. First
batches come as fast as they are taken, until all are processed: that is the whole. Then they come at half that rate,
and twice a second one more with an event that nobody else has; from its 2xx on `GET /api/v1/events?session_id=` and
`GET /api/v1/replays?event=` are asked for it until they know it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop

from benchmarks import load, machine
from benchmarks.bench_append import listener_of, wait_for
from benchmarks.bench_events import ADMIN_KEY, TOKEN_SECRET, prepare, serve, work
from benchmarks.bench_processing import PER_BATCH, body
from messages import encode, encode_batch
from messages.schema import MobileEvent
from sessions.ids import SessionId, SessionIds
from sessions.tokens import Tokens
from storage.embedded_postgres import EmbeddedPostgres

PATH = "/v1/mobile/i"
LOOK_S = 0.1  # between two looks
MARKER_S = 0.5  # between two markers

_ids = SessionIds()


def _headers(session_id: int = 0) -> dict[str, str]:
    """That session's, else a new one's."""
    now_ms = time.time_ns() // 1_000_000
    tokens = Tokens([TOKEN_SECRET], lambda: now_ms)
    token = tokens.sign(SessionId(session_id or _ids.new(now_ms)), 1, lifetime_ms=7_200_000, platform="ios")
    return {"authorization": f"Bearer {token}", "content-type": "application/octet-stream"}


def requests_of(sessions: int, bodies: list[bytes]) -> list[bytes]:
    """Every body for every session, sessions in turn; no two are the same."""
    heads = [_headers() for _ in range(sessions)]
    return [load.post(PATH, content, headers) for content in bodies for headers in heads]


def main() -> None:
    """Print what was found."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, default=200)
    arguments.add_argument("--batches", type=int, default=50)
    arguments.add_argument("--seconds", type=float, default=20)
    chosen = arguments.parse_args()
    print(f"machine: {machine.describe()}; one HTTP process, one worker process")
    rng, now_ms = random.Random(1), time.time_ns() // 1_000_000
    bodies = [body(rng, n * PER_BATCH, now_ms + n * 5000) for n in range(chosen.batches)]
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
            listener = listener_of()
            port = listener.getsockname()[1]
            start(serve, listener, dsn, folder)
            listener.close()
            backlog = requests_of(chosen.sessions, bodies)
            wait_for(port, backlog[0])
            start(work, dsn, folder)
            began = time.perf_counter()
            uvloop.run(load.steadily(port, iter(backlog), 1e9, asyncio.Event()))
            uvloop.run(_drained(dsn, len(backlog) * PER_BATCH))
            whole = len(backlog) * PER_BATCH / (time.perf_counter() - began)
            print(f"{len(backlog):,} batches at once: {whole:,.0f} messages/s until the last is processed")
            rate = whole / 2 / PER_BATCH
            rounds = int(rate * chosen.seconds / len(backlog)) + 2
            steady = (request for _ in range(rounds) for request in requests_of(chosen.sessions, bodies))
            uvloop.run(_visibility(port, steady, rate, chosen.seconds))
        finally:
            for process in servers:
                process.terminate()
                process.join(15)
            postgres.stop()


async def _drained(dsn: str, messages: int) -> None:
    """Until all are processed."""
    conn = await asyncpg.connect(dsn)
    try:
        while True:
            if await conn.fetchval("SELECT coalesce(sum(messages), 0)::bigint FROM sessions") >= messages:
                return
            await asyncio.sleep(0.05)
    finally:
        await conn.close()


async def _visibility(port: int, steady: Iterator[bytes], rate: float, seconds: float) -> None:
    waits: dict[str, list[float]] = {"events": [], "replays": []}
    ended = asyncio.Event()
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, headers=headers
    ) as client:
        background = asyncio.create_task(load.steadily(port, steady, rate, ended))
        await asyncio.sleep(2)  # the beginning is not what is asked
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            number = 0
            while time.perf_counter() - began < seconds:
                tasks.create_task(_mark(client, f"marker-{number}", waits))
                number += 1
                await asyncio.sleep(MARKER_S)
        spent = time.perf_counter() - began
        ended.set()
        sent = await background
    print(f"at {sent * PER_BATCH / (spent + 2):,.0f} messages/s, {number} marked events found after")
    print(f"{'':<28} {'p50 ms':>8} {'p99 ms':>8} {'longest':>8}")
    for name, found in waits.items():
        found.sort()
        p99 = found[min(int(len(found) * 0.99), len(found) - 1)]
        print(
            f"GET /api/v1/{name:<16} {statistics.median(found) * 1000:>8,.0f} {p99 * 1000:>8,.0f} "
            f"{found[-1] * 1000:>8,.0f}"
        )


async def _mark(client: httpx.AsyncClient, name: str, waits: dict[str, list[float]]) -> None:
    now_ms = time.time_ns() // 1_000_000
    content = encode_batch(1, now_ms, [encode(MobileEvent(name, "{}"), timestamp=now_ms)])
    session_id = _ids.new(now_ms)
    answer = await client.post(PATH, content=content, headers=_headers(session_id))
    assert answer.status_code == 200, answer.text
    answered = time.perf_counter()
    await asyncio.gather(
        _look(client, "events", {"project": "bench", "session_id": str(session_id)}, answered, waits),
        _look(client, "replays", {"project": "bench", "event": name}, answered, waits),
    )


async def _look(
    client: httpx.AsyncClient,
    what: str,
    params: dict[str, str],
    answered: float,
    waits: dict[str, list[float]],
) -> None:
    while True:
        answer = await client.get(f"/api/v1/{what}", params=params)
        assert answer.status_code == 200, answer.text
        if answer.json()[what]:
            waits[what].append(time.perf_counter() - answered)
            return
        await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    main()
