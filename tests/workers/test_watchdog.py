"""The watchdog ends a process whose work blocks it, and none that goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workers.runner import EXIT_HUNG

ROOT = Path(__file__).parents[2]
PROGRAM = """
import time
from workers.runner import Watchdog
watchdog = Watchdog(0.4)
watchdog.start()
for _ in range(20):
    with watchdog.watch():
        time.sleep(0.05)
with watchdog.watch():
    pass
{}
watchdog.stop()
"""


@pytest.mark.parametrize(
    ("work", "status"),
    [
        ("time.sleep(1)", 0),  # nothing in hand
        ("with watchdog.watch():\n    while True: pass", EXIT_HUNG),
        ("with watchdog.watch():\n    time.sleep(60)", EXIT_HUNG),
    ],
)
def test_only_work_that_takes_too_long_ends_the_process(work: str, status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work)], cwd=ROOT, capture_output=True, timeout=60
    )
    assert done.returncode == status, done.stderr
    assert (b"worker_hung" in done.stdout + done.stderr) == (status == EXIT_HUNG)
