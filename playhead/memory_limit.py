"""How much memory this process may have: the machine's, or less where a container (cgroup 1 or 2) bounds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playhead.settings import Settings

#: what may wait to be durable, of all memory: bodies exist up to three times while they are read, packed and written
SHARE_IN_FLIGHT: Final = 1 / 8
_MOUNT: Final = Path("/sys/fs/cgroup")
_OWN_GROUPS: Final = Path("/proc/self/cgroup")


def bytes_in_flight(settings: Settings) -> int:
    """What may wait to be durable in one of the HTTP processes: as set, but not more than the memory has room for. The
    largest body that is allowed has room beside small ones even so, else it might be refused for ever.
    """
    room = int(memory_limit() * SHARE_IN_FLIGHT) // settings.http_processes
    largest = max(settings.max_images_bytes, settings.max_batch_bytes, settings.max_json_bytes)
    return min(settings.journal_inflight_bytes, max(room, largest * 5 // 4))


def memory_limit(mount: Path = _MOUNT, own_groups: Path = _OWN_GROUPS) -> int:
    """Bytes."""
    return min([_of_machine(), *_of_groups(mount, own_groups)])


def _of_machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_groups(mount: Path, own_groups: Path) -> Iterator[int]:
    """Every bound that is set; a container may see its own group as the root, or below a path it cannot see."""
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            roots, name = [mount, mount / "unified"], "memory.max"
        elif "memory" in controllers.split(","):
            roots, name = [mount / "memory"], "memory.limit_in_bytes"
        else:
            continue
        for root in roots:
            own = root / path.lstrip("/")
            for folder in (own, *(each for each in own.parents if each.is_relative_to(root))):
                yield from _read(folder / name)


def _read(file: Path) -> Iterator[int]:
    try:
        yield int(file.read_text())
    except (OSError, ValueError):  # not there; "max"
        return
