"""Hours of load with faults at random, and what became of memory, files and waiting times.

    python -m tests.faults.soak [--hours 8] [--seed 1] [--phones 8] [--round-s 60]

A whole installation: two HTTP processes and two workers under their supervisors, Postgres, Redis, S3. In every
round new phones send for a while, faults come at random and end; then everything must settle, the judge compares,
and memory and open files are looked at. A probe of its own measures appends while no fault is under way.
Exit status 1 if the judge found fault. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil

from storage.migrate import migrate
from tests.faults.book import Book
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import children, supervised
from tests.faults.town import Town, new_town
from tests.servers import RedisServer, S3Server, temporary_folder

PROBE_S = 0.1
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'playhead'"


@dataclass(frozen=True, slots=True)
class Sample:
    """The installation's own processes after a round, when nothing is under way."""

    at_s: float
    rss_bytes: int
    files: int


@dataclass
class Soak:
    """One run."""

    town: Town
    redis: RedisServer
    s3: S3Server
    seed: int
    dice: random.Random
    began: float = field(default_factory=time.monotonic)
    faulty: bool = False
    faults: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    waits: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))  # s, by hour
    seen: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def at_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def complain(self, what: str) -> None:
        """Say it at once, whole; the report has its beginning."""
        print(f"complaint: {what}", flush=True)
        self.complaints.append(" ".join(what.split())[:400])

    async def rounds(self, seconds: float, phones: int, round_s: float) -> None:
        """Round after round; the report comes whatever ends them."""
        try:
            while self.at_s < seconds:
                await self.round(min(round_s, max(20.0, seconds - self.at_s)), phones)
                last = self.samples[-1]
                print(
                    f"{last.at_s:6.0f} s  {last.rss_bytes / 1e6:6.0f} MB  {last.files:4} files  "
                    f"{self.seen['messages']} messages  {len(self.complaints)} complaints",
                    flush=True,
                )
        except Exception as problem:
            self.complain(f"round {len(self.samples)} ended: {problem!r}")
            raise
        finally:
            print(self.report(), flush=True)

    async def round(self, seconds: float, phones: int) -> None:
        """Load with faults, then the judge on what this round's phones have sent."""
        number = len(self.samples)
        self.town.book.close()
        self.town.book = Book(temporary_folder("oracle") / "book.sqlite")
        self.town.seed = f"{self.seed}.{number}"
        project = f"round-{number}"
        async with self.town.client() as client:
            answer = await client.post("/api/v1/projects", json={"name": project, "key": project})
            answer.raise_for_status()
        self.town.project = project
        async with self.town.load(phones), self.probed():
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await asyncio.sleep(self.dice.uniform(1, 6))
                await self._fault()
        try:
            self.seen += await self.town.judge()
        except AssertionError as problem:
            self.complain(f"round {number}: {problem}")
        self.samples.append(self._sample())

    def _sample(self) -> Sample:
        own = [each for process in (*self.town.http, *self.town.workers) for each in children(process)]
        return Sample(
            self.at_s, sum(each.memory_info().rss for each in own), sum(each.num_fds() for each in own)
        )

    async def _fault(self) -> None:
        name, fault = self.dice.choice(sorted(FAULTS.items()))
        self.faults[name] += 1
        self.faulty = True
        await fault(self)
        await asyncio.sleep(3)  # until everything has been found again
        self.faulty = False

    @contextlib.asynccontextmanager
    async def probed(self) -> AsyncIterator[None]:
        probing = asyncio.create_task(self._probe())
        try:
            yield
        finally:
            probing.cancel()
            (end,) = await asyncio.gather(probing, return_exceptions=True)
            if isinstance(end, Exception):
                trace = "".join(traceback.format_exception(end))
                self.complain(f"round {len(self.samples)}: the probe ended: {end!r}\n{trace}")

    async def _probe(self) -> None:
        """Appends of one phone's, timed while nothing is broken."""
        async with RawPhone.open(self.town.url, self.town.project, self.town.book) as phone:
            while not phone.token:
                await phone.start()
                await asyncio.sleep(PROBE_S)
            while True:
                calm, sent = not self.faulty, time.perf_counter()
                if await phone.say(1) == 200 and calm and not self.faulty:
                    self.waits[int(self.at_s // 3600)].append(time.perf_counter() - sent)
                await asyncio.sleep(PROBE_S)

    def report(self) -> str:
        """What an operator wants to know."""
        lines = [
            f"{self.at_s / 3600:.2f} h, {len(self.samples)} rounds, {self.seen['messages']} messages and "
            f"{self.seen['pictures']} pictures judged",
            "faults: " + ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items())),
        ]
        for hour, waits in sorted(self.waits.items()):
            cuts = statistics.quantiles(waits, n=100) if len(waits) > 1 else waits * 99
            lines.append(
                f"hour {hour + 1}: append p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms"
            )
        later = self.samples[len(self.samples) // 4 :]  # caches fill in the beginning
        if later:
            lines.append(
                f"memory {later[0].rss_bytes / 1e6:.0f} -> {later[-1].rss_bytes / 1e6:.0f} MB, "
                f"{slope(later, lambda s: s.rss_bytes / 1e6):+.1f} MB/h; "
                f"open files {later[0].files} -> {later[-1].files}, {slope(later, lambda s: s.files):+.1f}/h"
            )
        lines.append(
            "judge: " + ("; ".join(self.complaints) or "nothing lost, nothing twice, ledger balanced")
        )
        return "\n".join(lines)


def slope(samples: list[Sample], value: Callable[[Sample], float]) -> float:
    """Per hour, by least squares; 0 when there is too little to say."""
    if len(samples) < 3:
        return 0.0
    return statistics.linear_regression(
        [each.at_s / 3600 for each in samples], [value(each) for each in samples]
    ).slope


async def _killed(soak: Soak) -> None:
    supervisor = soak.dice.choice([*soak.town.http, *soak.town.workers])
    for victim in children(supervisor)[:1]:
        victim.kill()


async def _ended(soak: Soak) -> None:
    supervisor = soak.dice.choice([*soak.town.http, *soak.town.workers])
    for victim in children(supervisor)[:1]:
        victim.terminate()


async def _database_restarted(soak: Soak) -> None:
    await asyncio.to_thread(soak.town.postgres.stop)
    await asyncio.sleep(soak.dice.uniform(0, 4))
    await asyncio.to_thread(soak.town.postgres.start)


async def _database_frozen(soak: Soak) -> None:
    await asyncio.to_thread(soak.town.postgres.freeze)
    await asyncio.sleep(soak.dice.uniform(1, 8))
    soak.town.postgres.thaw()


async def _connections_cut(soak: Soak) -> None:
    conn = await asyncpg.connect(soak.town.postgres.dsn)
    await conn.execute(CUT)
    await conn.close()


async def _redis_flushed(soak: Soak) -> None:
    soak.redis.ask("FLUSHALL")


async def _redis_gone(soak: Soak) -> None:
    await asyncio.to_thread(soak.redis.stop)
    await asyncio.sleep(soak.dice.uniform(0, 5))
    await asyncio.to_thread(soak.redis.start)


async def _store_frozen(soak: Soak) -> None:
    soak.s3.freeze()
    await asyncio.sleep(soak.dice.uniform(1, 8))
    soak.s3.thaw()


FAULTS = {
    "kill -9": _killed, "SIGTERM": _ended, "database restarted": _database_restarted,
    "database frozen": _database_frozen, "connections cut": _connections_cut, "Redis flushed": _redis_flushed,
    "Redis gone": _redis_gone, "object store silent": _store_frozen,
}  # fmt: skip


async def soak(*, hours: float, seed: int, phones: int, round_s: float) -> Soak:
    """Run it to the end."""
    redis, s3 = RedisServer(), S3Server()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, contextlib.ExitStack() as stack:
        for server in (redis, s3):
            stack.callback(server.close)
            server.start()
        bucket = s3.new_bucket()
        os.environ.update(bucket.environment)
        settings = {f"PLAYHEAD_{name.upper()}": value for name, value in bucket.settings.items()}
        settings |= {"PLAYHEAD_REDIS_URL": redis.url, "PLAYHEAD_PUT_TIMEOUT_S": "2"}
        town = stack.enter_context(new_town(Path(folder), **settings))
        await migrate(town.postgres.dsn)
        for role in ("http", "work"):
            supervised(town, role).start()
        await town.build(http=0, workers=0)
        made = Soak(town, redis, s3, seed, random.Random(seed))
        await made.rounds(hours * 3600, phones, round_s)
        return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phones", type=int, default=8)
    parser.add_argument("--round-s", type=float, default=60.0)
    options = parser.parse_args()
    print(f"seed {options.seed}, {psutil.cpu_count()} processors", flush=True)
    made = asyncio.run(
        soak(hours=options.hours, seed=options.seed, phones=options.phones, round_s=options.round_s)
    )
    sys.exit(1 if made.complaints else 0)


if __name__ == "__main__":
    main()
