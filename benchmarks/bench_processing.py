"""Messages per second from the journal to Postgres, beside a bare COPY of the event rows that they make.

    python -m benchmarks.bench_processing [--sessions 100] [--batches 60] [--alone]

Bodies are like an SDK's flush: 40 messages, half logs and performance, half events; gzip. A segment holds some 17,000
messages, what comes together in a third of a second at 50,000 messages/s; or, `--alone`, one batch, as where little
comes and each is sealed by its age.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import logging
import random
import time
from typing import Any

import structlog

from benchmarks import machine
from benchmarks.house import open_house
from messages import encode, encode_batch
from messages.schema import (
    MobileClickEvent,
    MobileEvent,
    MobileLog,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileViewComponentEvent,
)
from playhead.wiring import Services, wall_clock
from sessions.ids import SessionIds
from sessions.model import SessionStart
from storage.segment_file import Record
from workers.runner import Worker, tune_collector

PER_BATCH = 40
SEGMENT_BYTES = 250_000


def body(rng: random.Random, index: int, at_ms: int) -> bytes:
    """One flush."""
    framed = []
    for number in range(PER_BATCH):
        at = at_ms + number * 120
        kind = number % 8
        if kind < 3:
            message: Any = MobileLog("info", f"[http] {rng.randint(100, 999)} GET /catalog")
        elif kind == 3:
            message = MobilePerformanceEvent("memoryUsage", rng.randint(10**8, 2 * 10**8))
        elif kind == 4:
            message = MobileClickEvent(f"UIButton 'Item {rng.randint(1, 50)}'", 120, 640)
        elif kind == 5:
            message = MobileEvent("add_to_cart", f'{{"sku":{rng.randint(1, 9999)},"qty":2}}')
        elif kind == 6:
            message = MobileViewComponentEvent(f"Screen{rng.randint(1, 9)}", "MainView", True)
        else:
            url = f"https://api.example.com/v1/item/{rng.randint(1, 99)}"
            message = MobileNetworkCall("request", "GET", url, '{"headers":{}}', '{"body":"ok"}', 200, 84)
        framed.append(encode(message, timestamp=at))
    return gzip.compress(encode_batch(index, at_ms + PER_BATCH * 120, framed))


async def fill(services: Services, project_id: int, sessions: int, batches: int, *, together: int) -> int:
    """Append everything, so many records at a time -> how many messages."""
    rng = random.Random(1)
    ids = SessionIds()
    now_ms = wall_clock()
    bodies = [body(rng, n * PER_BATCH, now_ms + n * 5000) for n in range(batches)]
    records = []
    for number in range(sessions):
        session_id = ids.new(now_ms)
        start = SessionStart(platform="ios", user_uuid=f"user-{number}", device_name="iPhone 15", os="IOS")
        records.append(Record("start", project_id, session_id, now_ms * 1000, start.to_meta(), b"{}"))
        for n in range(batches):
            meta = {"plt": "ios"}
            records.append(Record("batch", project_id, session_id, (now_ms + n) * 1000, meta, bodies[n]))
    for begin in range(0, len(records), together):
        await asyncio.gather(*(services.journal.append(r) for r in records[begin : begin + together]))
    return sessions * batches * PER_BATCH


async def bare_copy(services: Services) -> tuple[int, float]:
    """COPY of all event rows into a table with the same primary key -> (rows, seconds)."""
    columns = (
        "project_id, day, session_id, event_key, source, category, name, at_us, device_us, arrival, user_id, "
        "event_id, data"
    )
    rows = [tuple(row) for row in await services.db.fetch(f"SELECT {columns} FROM events")]
    async with services.db.acquire() as conn:
        await conn.execute(
            "CREATE TABLE bare (LIKE events, PRIMARY KEY (project_id, session_id, event_key, day))"
        )
        began = time.perf_counter()
        for begin in range(0, len(rows), 5000):
            await conn.copy_records_to_table("bare", records=rows[begin : begin + 5000])
        return len(rows), time.perf_counter() - began


async def run(sessions: int, batches: int, *, alone: bool) -> None:
    """Print one comparison."""
    async with open_house(segment_target_bytes=1 if alone else SEGMENT_BYTES) as (services, project_id):
        messages = await fill(services, project_id, sessions, batches, together=1 if alone else 500)
        await asyncio.sleep(1)
        segments = await services.db.fetchval("SELECT count(*) FROM segments")
        worker = Worker(services)
        tune_collector()
        began, before = time.perf_counter(), time.process_time()
        while await worker.once():
            pass
        spent, busy = time.perf_counter() - began, time.process_time() - before
        stored = await services.db.fetchval("SELECT sum(messages) FROM sessions")
        assert stored == messages, (stored, messages)
        rows, copied = await bare_copy(services)
        print(
            f"{messages:,} messages in {sessions * batches:,} batches of {sessions} sessions, {segments:,} segments"
        )
        print(f"processed   {messages / spent:>10,.0f} messages/s   {rows / spent:>10,.0f} event rows/s")
        print(
            f"of its CPU  {messages / busy:>10,.0f} messages/s   (worker alone, without waiting for Postgres)"
        )
        print(f"bare COPY   {'':>10}              {rows / copied:>10,.0f} event rows/s")
        print(f"ratio       {copied / spent:>10.2f}  (time of the bare COPY over time of all processing)")


def main() -> None:
    """Entry."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, default=100)
    arguments.add_argument("--batches", type=int, default=60)
    arguments.add_argument("--alone", action="store_true", help="every batch in a segment of its own")
    chosen = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"machine: {machine.describe()}; one worker process")
    asyncio.run(run(chosen.sessions, chosen.batches, alone=chosen.alone))


if __name__ == "__main__":
    main()
