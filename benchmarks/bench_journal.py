"""Durable appends to the journal on local files: `python -m benchmarks.bench_journal [--folder DIR] [--seconds S]`.

Beside it, in the same run and by turns, the floor: a bare loop of write and fdatasync on a preallocated file, with
as many bytes per flush as that many clients have waiting at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.machine import describe
from playhead.settings import load
from storage.journal import Record, SegmentSummary, open_journal
from storage.objects import open_objects

CLIENTS = 64
SIZES = (4096, 32_768)
ROUNDS = 5
FILE_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """One round; waits in s, sorted."""

    records: int
    elapsed_s: float
    waits: list[float]

    @property
    def per_s(self) -> float:
        return self.records / self.elapsed_s

    def wait_ms(self, share: float) -> float:
        """The wait that this share of the records did not exceed."""
        return self.waits[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1000


def bare(folder: Path, size: int, seconds: float) -> Result:
    """Groups of CLIENTS records, each written and flushed before the next; a new file at every 16 MB."""
    parts = [os.urandom(size) for _ in range(CLIENTS)]
    waits: list[float] = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        path = folder / "bare"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        os.posix_fallocate(fd, 0, FILE_BYTES)
        os.fsync(fd)
        for at in range(0, FILE_BYTES - size * CLIENTS, size * CLIENTS):
            before = time.perf_counter()
            os.pwritev(fd, parts, at)
            os.fdatasync(fd)
            waits.append(time.perf_counter() - before)
        os.close(fd)
        path.unlink()
    elapsed = time.perf_counter() - begun
    return Result(len(waits) * CLIENTS, elapsed, sorted(waits))


async def journal(folder: Path, size: int, seconds: float) -> Result:
    """CLIENTS senders, each with one record on the way."""
    body = os.urandom(size)
    waits: list[float] = []
    found = 0

    async def index(summary: SegmentSummary) -> None:
        nonlocal found
        found += summary.records

    settings = load({}, data_dir=folder)
    async with (
        open_objects(settings) as objects,
        open_journal(settings, objects, index=index, clock=lambda: time.time_ns() // 1_000_000) as log,
    ):
        begun = time.perf_counter()

        async def client(number: int) -> None:
            while (before := time.perf_counter()) - begun < seconds:
                meta = {"plt": "ios", "uid": "0d4c0a52-8d7b-4f0e-a1f4-9a5d6c1f2b3e"}
                await log.append(Record("batch", 1, number, time.time_ns() // 1000, meta, body))
                waits.append(time.perf_counter() - before)

        await asyncio.gather(*map(client, range(CLIENTS)))
        elapsed = time.perf_counter() - begun
    assert found == len(waits), "sealed segments must hold every acknowledged record"
    return Result(len(waits), elapsed, sorted(waits))


def rounds(run: Callable[[Path, int, float], Result], parent: Path, size: int, seconds: float) -> Result:
    """One round in a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        return run(folder, size, seconds)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to be measured")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round")
    options = parser.parse_args()
    print(f"{describe()}; {CLIENTS} clients, {ROUNDS} rounds of {options.seconds:g} s by turns, medians")
    for size in SIZES:
        floor, ours = [], []
        for _ in range(ROUNDS):
            floor.append(rounds(bare, options.folder, size, options.seconds))
            ours.append(
                rounds(lambda *args: uvloop.run(journal(*args)), options.folder, size, options.seconds)
            )
        for name, results in (("bare file", floor), ("journal", ours)):
            per_s = statistics.median(result.per_s for result in results)
            waits = [statistics.median(r.wait_ms(share) for r in results) for share in (0.5, 0.99, 0.999)]
            print(
                f"{size:6} B  {name:9} {per_s:8,.0f} records/s  {per_s * size / 1e6:6.1f} MB/s"
                f"  wait ms: p50 {waits[0]:5.2f}  p99 {waits[1]:5.2f}  p99.9 {waits[2]:5.2f}"
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory of the process: {peak} MB")


if __name__ == "__main__":
    main()
