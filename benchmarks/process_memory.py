"""What a family of processes holds in memory and has used of the processors, as Linux tells it in /proc."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """One process; MB of 10^6 bytes. `pss`: its own pages and its share of those that several have."""

    pid: int
    name: str
    pss: float
    rss: float


def family(root: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def memory_of(root: int) -> list[Memory]:
    """Of every process of this family, those that ended meanwhile left out."""
    found = []
    for pid in family(root):
        with contextlib.suppress(OSError):
            lines = (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines()
            sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines[1:]}
            found.append(Memory(pid, _name(pid), sizes["Pss"], sizes["Rss"]))
    return found


def processor_seconds(root: int) -> float:
    """CPU time of this family so far, in s: its processes and the children that they have waited for."""
    total = 0
    for pid in family(root):
        with contextlib.suppress(OSError):
            total += sum(int(ticks) for ticks in _stat(pid)[11:15])
    return total / _TICKS_PER_S


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat behind the name, which may hold spaces."""
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _name(pid: int) -> str:
    """What the process is to a reader: a role of Playhead's, or the title that Postgres gives itself."""
    words = (Path("/proc") / str(pid) / "cmdline").read_bytes().rstrip(b"\0").decode().split("\0")
    if words[0].startswith("postgres:") or len(words) == 1:
        return words[0].strip()
    if "-D" in words:
        return "postgres: leader"
    for role in ("demo-data", "demo", "serve", "http", "work"):
        if role in words:
            return f"playhead {role}"
    return Path(words[0]).name
