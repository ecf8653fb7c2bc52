"""`playhead http` and `playhead work` with several processes each: their supervisors, and how their children end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import psutil

from tests.faults.town import Playhead, Town

GRACE_S = 2


def supervised(town: Town, role: str, **settings: str) -> Playhead:
    """One more of the town's programs, with two processes; not started yet."""
    count = "PLAYHEAD_HTTP_PROCESSES" if role == "http" else "PLAYHEAD_WORKER_PROCESSES"
    own = {count: "2", "PLAYHEAD_LOG_JSON": "true", "PLAYHEAD_SHUTDOWN_GRACE_S": str(GRACE_S)}
    program = Playhead(role, town.variables | own | settings)
    (town.http if role == "http" else town.workers).append(program)
    return program


def children(program: Playhead) -> list[psutil.Process]:
    """Its HTTP or worker processes."""
    assert program.pid is not None
    return [each for each in psutil.Process(program.pid).children() if "--name" in each.cmdline()]


def endings(program: Playhead) -> list[int]:
    """Exit statuses of children that ended while they should run."""
    lines = [json.loads(line) for line in program.log.read_text().splitlines() if line.startswith("{")]
    return [line["status"] for line in lines if line["action"] == "process_ended"]


async def until(condition: Callable[[], bool], within_s: float = 60) -> None:
    """Wait for it; a process that ends while it is looked at is not there yet."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if condition():
                return
        except psutil.Error:
            pass
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
