"""The watchdog ends a process whose work blocks it, and none that goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workers.runner import EXIT_HUNG

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, threading, time
from workers.runner import Watchdog

def compute(seconds):
    threading.Event().wait(seconds)

async def main():
    watchdog = Watchdog(0.4)
    watchdog.start()
    for _ in range(20):
        with watchdog.watch():
            await asyncio.to_thread(compute, 0.05)
    with watchdog.watch():
        pass
    {}
    watchdog.stop()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("work", "status"),
    [
        ("await asyncio.sleep(1)", 0),  # a store that is slow
        ("await asyncio.to_thread(compute, 1)", 0),  # the same, asked from a thread
        ("while True: pass", EXIT_HUNG),
        ("time.sleep(60)", EXIT_HUNG),
        ("with watchdog.watch(): await asyncio.to_thread(compute, 60)", EXIT_HUNG),
    ],
)
def test_only_what_computes_too_long_ends_the_process(work: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work)], cwd=ROOT, capture_output=True, timeout=60
    )
    assert done.returncode == status, done.stderr
    assert (b"worker_hung" in done.stdout + done.stderr) == (status == EXIT_HUNG)
