"""One page of each list by each of its filters, over few and over ten times as many sessions, beside plain look-ups.

    python -m benchmarks.bench_search [--sessions 10000 100000] [--keep FOLDER] [--only WORD] [--explain]

Fifty events and some 42 search terms a session (benchmarks/search_data.py). Each filter is asked with many values;
shown are the median and the 95th of a hundred. `--sessions 100000 1000000` is the size that the aim names: that takes
28 GB of disk, and with `--keep` they are there for the next time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import structlog

from benchmarks import machine
from benchmarks.search_data import BEGIN_MS, DAYS, TIMEOUT_S, fill
from benchmarks.search_questions import Ask, questions
from playhead.settings import Settings
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import migrate
from storage.postgres import Database, open_pool

#: of the fill alone: a table that is made and filled in one transaction needs no log
FILL: Final = {"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "8GB"}

BASELINES: Final = {
    "50 rows by primary key": """
        SELECT s.* FROM unnest($1::bigint[]) w JOIN sessions s ON s.project_id = 1 AND s.session_id = w
    """,
    "50 entries of one index": """
        SELECT session_id FROM sessions WHERE project_id = 1 AND started_ms < $2 ORDER BY started_ms DESC,
        session_id DESC LIMIT 50
    """,
}
SOME: Final = "SELECT session_id FROM sessions TABLESAMPLE SYSTEM (2) WHERE project_id = 1 LIMIT 3000"


@contextlib.asynccontextmanager
async def open_data(folder: Path, sessions: int, minutes: float) -> AsyncIterator[Database]:
    """The database of this size, made if it is not there yet, with the settings that Playhead gives it."""
    done = folder / "filled"
    if not done.exists():
        postgres = EmbeddedPostgres(FILL)
        dsn = await asyncio.to_thread(postgres.start, folder)
        try:
            await migrate(dsn)
            made = Settings(database_url=dsn, data_dir=folder)
            async with open_pool(made, timeout_s=TIMEOUT_S) as db:
                began = time.perf_counter()
                if not await fill(db, sessions, lambda: time.perf_counter() - began > minutes * 60):
                    raise SystemExit("made in part; call again to go on")
                size = await db.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
                print(
                    f"{sessions:,} sessions made in {time.perf_counter() - began:,.0f} s: {size}", flush=True
                )
        finally:
            await asyncio.to_thread(postgres.stop)
        done.touch()
    postgres = EmbeddedPostgres()
    dsn = await asyncio.to_thread(postgres.start, folder)
    try:
        async with open_pool(Settings(database_url=dsn, data_dir=folder)) as db:
            yield db
    finally:
        await asyncio.to_thread(postgres.stop)


async def timed(ask: Ask, seconds: float) -> tuple[list[float], int]:
    """ms of each of up to 100 answers, those that warm up left out, and the most rows of one."""
    rng, most = random.Random(5), 0
    spent: list[float] = []
    began = time.perf_counter()
    while len(spent) < 103 and (time.perf_counter() - began < seconds or len(spent) < 6):
        start = time.perf_counter()
        try:
            most = max(most, await ask(rng))
        except Exception as problem:  # too slow for the server's patience is a result, too
            print(f"    {type(problem).__name__}: {problem}"[:100])
        spent.append((time.perf_counter() - start) * 1000)
    return sorted(spent[3:]), most


def at(sorted_ms: list[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted_ms[min(len(sorted_ms) - 1, int(share * len(sorted_ms)))]


async def run(folder: Path, sessions: int, chosen: argparse.Namespace) -> dict[str, tuple[float, float, int]]:
    """Name -> (p50, p95, most rows of a page)."""
    results = {}
    async with open_data(folder, sessions, chosen.minutes) as db:
        if chosen.fill:
            return {}
        ids = [row[0] for row in await db.fetch(SOME)]

        def baseline(sql: str) -> Ask:
            async def ask(rng: random.Random) -> int:
                values = {
                    "$1": rng.sample(ids, min(50, len(ids))),
                    "$2": BEGIN_MS + rng.randrange(DAYS * 86_400_000),
                }
                return len(
                    await db.fetch(sql.replace("$2", "$1"), *(v for k, v in values.items() if k in sql))
                )

            return ask

        asked = {name: baseline(sql) for name, sql in BASELINES.items()} | await questions(db, sessions)
        for name, ask in asked.items():
            if chosen.only in name:
                spent, most = await timed(ask, chosen.seconds)
                results[name] = at(spent, 0.5), at(spent, 0.95), most
                print(
                    f"    {sessions:>9,} {name:<52}{results[name][0]:>9.1f}{results[name][1]:>9.1f} {most:>4}"
                )
    return results


def report(sizes: list[int], results: list[dict[str, tuple[float, float, int]]]) -> None:
    """One table, a line per question."""
    heads = "".join(f"{f'{n:,} sessions':>24}" for n in sizes)
    print(f"\n{'p50 / p95 in ms':<52}{heads}{'growth':>9}")
    for name in results[0]:
        cells = "".join(f"{each[name][0]:>14.1f} /{each[name][1]:>8.1f}" for each in results)
        growth = results[-1][name][1] / max(results[0][name][1], 0.01)
        print(f"{name:<52}{cells}{growth:>9.2f}")


def main() -> None:
    """Entry."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sessions", type=int, nargs="*", default=[10_000, 100_000])
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--seconds", type=float, default=2.0, help="for each question")
    arguments.add_argument(
        "--minutes", type=float, default=60.0, help="for the data; with --keep, call again to go on"
    )
    arguments.add_argument("--fill", action="store_true", help="only make the data")
    chosen = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"machine: {machine.describe()}")
    with contextlib.ExitStack() as stack:
        folder = chosen.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-"))
        )
        results = []
        for sessions in chosen.sessions:
            own = folder / str(sessions)
            own.mkdir(parents=True, exist_ok=True)
            results.append(asyncio.run(run(own, sessions, chosen)))
        if not chosen.fill:
            report(chosen.sessions, results)


if __name__ == "__main__":
    main()
