"""What ends a worker that hangs, before its claims run out: what hung it is in nobody else's hands meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import os
import signal
import threading
from collections.abc import Iterator
from typing import Self

import structlog

log = structlog.get_logger()

#: an event loop that stands still for this share of a claim's time hangs. With the last look it is 9/16 of the time
#: until the end, and at least 3/4 were left to the claim (runner.RENEWALS).
LOOP_SHARE = 0.5
#: but no loop is taken for hung before: a busy machine, or a collection of garbage, ends nobody
LOOP_LEAST_S = 10.0
#: a thread that computes for so many claims' times hangs; the loop renews its claim meanwhile
WORK_CLAIMS = 3
#: looks within the time that a loop may stand still …
LOOKS = 8
#: … but one in so many seconds at least
LOOK_S = 5.0
EXIT_HUNG = 75


class Watchdog:
    """Ends the process when something blocks it too long; the supervisor starts a new one.

    Blocked is: the event loop does not turn, or a watched thread computes on and on. Who waits for a store is not,
    however long: that has timeouts of its own. A claim that ends so counts as a failure of its segment, so what hung us
    is put aside in the end.

    Time is what the watchdog's own thread has seen pass: a process that was frozen, or that the machine had no time
    for, has not hung. What never lets go of the interpreter (a regular expression) keeps that thread from running,
    too: then the kernel ends the process (SIGPROF), after as much processor time as the loop may stand still.
    """

    def __init__(self, loop_s: float, work_s: float) -> None:
        """How long the loop may stand still, and how long a watched thread may compute."""
        self._loop_s = loop_s
        self._step_s = min(loop_s / LOOKS, LOOK_S)
        self._loop_looks = math.ceil(loop_s / self._step_s)
        self._work_looks = math.ceil(work_s / self._step_s)
        self._looks = 0
        self._turned = 0
        self._keys = itertools.count()
        self._began: dict[int, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    @classmethod
    def of(cls, claim_timeout_s: float) -> Self:
        """For a worker whose claims last that long."""
        return cls(max(claim_timeout_s * LOOP_SHARE, LOOP_LEAST_S), claim_timeout_s * WORK_CLAIMS)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """The work of a thread, while it is waited for."""
        key = next(self._keys)
        self._began[key] = self._looks
        try:
            yield
        finally:
            del self._began[key]

    def start(self) -> None:
        """Begin to watch the loop that runs now, and what is watched."""
        self._turn()
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()
        self._thread.join()
        if self._timer is not None:
            self._timer.cancel()

    def _turn(self) -> None:
        self._turned = self._looks
        self._timer = asyncio.get_running_loop().call_later(self._step_s, self._turn)

    def _run(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._loop_s)
        while not self._stop.wait(self._step_s):
            signal.setitimer(signal.ITIMER_PROF, self._loop_s)
            self._looks += 1
            began = min(self._began.copy().values(), default=self._looks)
            if self._looks - self._turned > self._loop_looks or self._looks - began > self._work_looks:
                log.error("worker_hung")
                os._exit(EXIT_HUNG)
        signal.setitimer(signal.ITIMER_PROF, 0)
