"""A process that appends is killed at random moments: what it saw acknowledged is there afterwards, once."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers import S3Server
from tests.storage.journals import opened, until

pytestmark = pytest.mark.crash

KILLS = 30
PER_CHILD = 1_000_000

# Appends from 16 tasks at once, and writes each number to the pipe as soon as it is acknowledged.
CHILD = f"""
import asyncio, itertools, os, pathlib, random, sys
from tests.storage.journals import opened, record
async def main(folder, child, pipe, settings):
    numbers = itertools.count(child * {PER_CHILD})
    async with opened(pathlib.Path(folder), **settings) as j:
        os.write(pipe, b"open\\n")
        async def client():
            while True:
                number = next(numbers)
                await j.journal.append(record(number, size=random.choice((10, 300, 5000, 60_000))))
                os.write(pipe, b"%d\\n" % number)
        await asyncio.gather(*(client() for _ in range(16)))
asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), eval(sys.argv[4])))
"""


def killed(folder: Path, child: int, delay_s: float, settings: dict[str, Any]) -> set[int]:
    """Run a child, kill it `delay_s` after it began to append -> the numbers that it saw acknowledged."""
    reading, writing = os.pipe()
    command = [sys.executable, "-c", CHILD, str(folder), str(child), str(writing), repr(settings)]
    with os.fdopen(reading, "rb") as pipe:
        process = subprocess.Popen(command, pass_fds=[writing])
        os.close(writing)
        assert pipe.readline() == b"open\n"
        deadline = time.monotonic() + delay_s
        lines = b""
        os.set_blocking(reading, False)
        while time.monotonic() < deadline:  # a full pipe would hold the child up
            with contextlib.suppress(BlockingIOError):
                lines += os.read(reading, 1 << 16)
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.set_blocking(reading, True)
        lines += pipe.read()
    whole = lines[: lines.rfind(b"\n") + 1]
    return {int(line) for line in whole.split()}


def judge(acknowledged: set[int], found: Counter[int]) -> None:
    assert len(acknowledged) > KILLS
    assert not acknowledged - found.keys(), "acknowledged and lost"
    assert not [number for number, times in found.items() if times > 1], "there twice"


async def test_what_was_acknowledged_before_a_kill_is_there_once(tmp_path):
    chance = random.Random(time.time_ns())
    settings: dict[str, Any] = {"segment_target_bytes": 300_000, "segment_max_age_ms": 20}
    acknowledged: set[int] = set()
    for child in range(KILLS):
        acknowledged |= killed(tmp_path, child, chance.uniform(0, 0.15), settings)
    async with opened(tmp_path) as j:
        judge(acknowledged, await j.stored())
        assert await j.journal.recover_orphans() == 0
        left = (tmp_path / "objects/journal-open").glob("*")
        await until(lambda: len(list(left)) <= 1)  # the file that is ready for the next record


async def test_what_was_spooled_before_a_kill_is_there_once(tmp_path, monkeypatch):
    """With the store away and coming back at times, so that kills meet PUTs, the spool and the upload."""
    chance = random.Random(time.time_ns())
    server = S3Server()
    server.start()
    try:
        bucket = server.new_bucket()
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        settings: dict[str, Any] = {
            **bucket.settings, "linger_ms": 5, "put_timeout_s": 0.3, "segment_target_bytes": 300_000,
        }  # fmt: skip
        acknowledged: set[int] = set()
        for child in range(10):
            if child % 3 == 1:
                server.freeze()
            acknowledged |= killed(tmp_path, child, chance.uniform(0, 0.8), settings)
            server.thaw()
        async with opened(tmp_path, **settings) as j:
            await until(lambda: not any((tmp_path / "spool").glob("*/*.seg")), 60)
            judge(acknowledged, await j.stored())
        assert list((tmp_path / "spool").iterdir()) == []
    finally:
        server.close()
