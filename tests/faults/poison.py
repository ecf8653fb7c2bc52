"""Records that are poison to the worker that decodes them: a defect of its code, as it has not been found yet.

Batches of a phone whose name is one of `KINDS` are: "raises" an error that nobody expects, "eats" all memory (its end
by the kernel is SIGKILL), "hangs" for ever. Each decoding is noted in a folder that the test reads:

    poison = Poison(tmp_path / "notes")
    ... processes with **poison.variables ...
    poison.tries("hangs")                            # how often it was decoded
"""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Final

KINDS: Final = ("raises", "eats", "hangs")
ROOM_BYTES: Final = 200_000_000  # what one that eats memory gets


class Poison:
    """What workers noted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    @property
    def variables(self) -> dict[str, str]:
        """For the processes."""
        return {"PYTHONPATH": str(Path(__file__).with_name("shim")), "POISON_NOTES": str(self._folder)}

    def tries(self, kind: str) -> int:
        """How often a record of that kind was decoded."""
        return sum(path.name.startswith(kind) for path in self._folder.iterdir())

    @property
    def spread(self) -> bool:
        """Whether one that hangs was ever decoded while it still hung another process."""
        return any(path.name.endswith("-beside") for path in self._folder.glob("hangs-*"))


def install(folder: str) -> None:
    """Poison this process's decoder."""
    from messages import unpack
    from workers import opening, reading

    healthy = reading.read_batch

    def read_batch(record, layout, limits):
        plain = unpack(record.body, limits.max_unpacked_bytes).data
        for kind in KINDS:
            if kind.encode() + b"." in plain:
                _note(Path(folder), kind)
                _strike(kind)
        return healthy(record, layout, limits)

    vars(opening)["read_batch"] = read_batch


def _note(folder: Path, kind: str) -> None:
    others = {int(path.name.split("-")[1]) for path in folder.glob(f"{kind}-*")} - {os.getpid()}
    beside = "-beside" if any(Path(f"/proc/{pid}").exists() for pid in others) else ""
    (folder / f"{kind}-{os.getpid()}-{time.time_ns()}{beside}").touch()


def _strike(kind: str) -> None:
    if kind == "raises":
        raise RuntimeError("a defect")
    if kind == "hangs":
        while True:
            time.sleep(1)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM_BYTES, used + ROOM_BYTES))
    eaten = []
    try:
        while True:
            eaten.append(bytearray(10_000_000))
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)
