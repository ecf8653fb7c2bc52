"""Child processes: started, started again with a growing pause when they die, ended in good order.

A child never outlives its parent, however that ends: it holds one end of a pipe (the lifeline) and on Linux also
asks the kernel to be killed with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from playhead.errors import BadSettings
from playhead.telemetry import logger

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 30.0
STEADY_S = 60.0  # a child that lived this long starts again without a long pause
EXIT_USAGE = 2
EXIT_ORPHANED = 70
PR_SET_PDEATHSIG = 1

log = logger("playhead.children")


@dataclass(frozen=True, slots=True)
class Role:
    """What a child is: `name` in logs, the command's arguments, file descriptors that it inherits."""

    name: str
    arguments: tuple[str, ...]
    descriptors: tuple[int, ...] = ()


@dataclass(slots=True)
class Children:
    """All children of this process. `environ` is theirs; `metrics` where their numbers are pooled."""

    environ: Mapping[str, str]
    metrics: Path
    fatal: str = ""
    _running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _lifeline: tuple[int, int] = field(default_factory=os.pipe)

    async def keep(self, role: Role) -> None:
        """Run this child until `stop`. Raises BadSettings if it refuses its settings."""
        pause_s, again = FIRST_PAUSE_S, False
        while not self._stopping.is_set():
            began = time.monotonic()
            status = await self._run(role, again=again)
            if self._stopping.is_set():
                return
            if status == EXIT_USAGE and not again:
                raise BadSettings([f"the {role.name} process refused its settings"])
            log.warning("process_ended", process=role.name, status=status)
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > STEADY_S else min(pause_s * 2, LAST_PAUSE_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            again = True

    async def once(self, role: Role) -> int:
        """Run this child to its end -> its exit status."""
        return await self._run(role, again=False)

    async def stop(self, grace_s: float) -> None:
        """SIGTERM to all; SIGKILL to those that are still there after `grace_s`."""
        self._stopping.set()
        ending = {asyncio.create_task(process.wait()): process for process in self._running.values()}
        for process in ending.values():
            _signal(process, signal.SIGTERM)
        if not ending:
            return
        _, slow = await asyncio.wait(ending, timeout=grace_s)
        for task in slow:
            log.warning("process_killed", pid=ending[task].pid)
            _signal(ending[task], signal.SIGKILL)
        await asyncio.gather(*ending)

    def hurry(self) -> None:
        """SIGKILL to all."""
        for process in self._running.values():
            _signal(process, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the lifeline."""
        for end in self._lifeline:
            os.close(end)

    async def _run(self, role: Role, *, again: bool) -> int:
        reading, _ = self._lifeline
        arguments = [*role.arguments, "--lifeline", str(reading), *(["--again"] if again else [])]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "playhead",
            *arguments,
            env=dict(self.environ),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(*role.descriptors, reading),
            process_group=0,  # Ctrl-C reaches us alone; we tell the children
        )
        self._running[process.pid] = process
        try:
            if self._stopping.is_set():
                _signal(process, signal.SIGTERM)
            return await process.wait()
        except asyncio.CancelledError:
            _signal(process, signal.SIGKILL)
            await process.wait()
            raise
        finally:
            del self._running[process.pid]
            with contextlib.suppress(OSError):
                mark_process_dead(process.pid, str(self.metrics))  # type: ignore[no-untyped-call]


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def bind_to_parent(lifeline: int) -> None:
    """In a child: end at once when the parent is gone. What was acknowledged is durable already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.set_inheritable(lifeline, False)

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)  # nobody writes: this returns when the other end is closed
        os._exit(EXIT_ORPHANED)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def terminate_on(names: Sequence[signal.Signals], stop: asyncio.Event) -> None:
    """Set `stop` when one of these signals comes."""
    loop = asyncio.get_running_loop()
    for number in names:
        loop.add_signal_handler(number, stop.set)
