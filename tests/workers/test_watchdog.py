"""The watchdog ends a process whose work blocks it, and none that goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workers.watchdog import EXIT_HUNG

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, os, re, threading, time
from workers.watchdog import Watchdog

def compute(seconds):
    threading.Event().wait(seconds)

async def main():
    watchdog = Watchdog(0.4, 0.8)
    watchdog.start()
    for _ in range(20):
        with watchdog.watch():
            await asyncio.to_thread(compute, 0.05)
    with watchdog.watch():
        pass
    print("ready", flush=True)
    {}
    watchdog.stop()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("work", "status"),
    [
        ("await asyncio.sleep(1.5)", 0),  # a store that is slow
        ("await asyncio.to_thread(compute, 1.5)", 0),  # the same, asked from a thread
        (
            "with watchdog.watch(): await asyncio.to_thread(compute, 0.5)",
            0,
        ),  # longer than the loop may stand still
        ("while True: pass", EXIT_HUNG),
        ("time.sleep(60)", EXIT_HUNG),
        ("with watchdog.watch(): await asyncio.to_thread(compute, 60)", EXIT_HUNG),
        ("re.match('(a|a)*b', 'a' * 60)", -signal.SIGPROF),  # no other thread runs meanwhile
    ],
)
def test_only_what_computes_too_long_ends_the_process(work: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work)], cwd=ROOT, capture_output=True, timeout=60
    )
    assert done.returncode == status, done.stderr
    assert (b"worker_hung" in done.stdout + done.stderr) == (status == EXIT_HUNG)


def test_a_process_that_was_frozen_goes_on() -> None:
    """By a machine that had no time for it, for example."""
    program = PROGRAM.format("await asyncio.sleep(0.3)")
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 0
