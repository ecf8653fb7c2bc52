"""How full the disk under local objects is, and the space kept back so that cleaning up works at 100 %.

Levels, by the share of the volume that is used:

- `soft`  the SDKs are asked for less: lower quality, fewer pictures, fewer sessions (http_service/routes/mobile.py)
- `high`  pictures of the least valuable sessions go (workers/disk_space.py)
- `hard`  no new sessions; running ones go on as long as a byte fits

With objects on S3 there is nothing to govern.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

from playhead.settings import Settings
from playhead.telemetry import gauge

KEPT_S: Final = 2.0
#: a level is left only when use has fallen this far below its beginning, as a share of the volume
SLACK: Final = 0.01

_level = gauge("playhead_disk_level")
_used = gauge("playhead_disk_used_ratio")


class Level(IntEnum):
    """How full."""

    OK = 0
    SOFT = 1
    HIGH = 2
    HARD = 3


#: what part of the headroom must be free at each level for it not to begin
_PARTS: Final = {Level.SOFT: 1, Level.HIGH: 2, Level.HARD: 8}


class Usage(NamedTuple):
    """Bytes of a volume; `total` without what only root may use."""

    used: int
    total: int


def usage_of(path: Path) -> Usage:
    """Usage of the volume that holds `path`. Raises OSError."""
    found = os.statvfs(path)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return Usage(used, used + found.f_bavail * found.f_frsize)


@dataclass(frozen=True, slots=True)
class Marks:
    """Percent of the volume in use at which each level begins, but never while `headroom` bytes are free (a half of
    them for `high`, an eighth for `hard`): a tenth of a large volume is much.
    """

    soft: float
    high: float
    hard: float
    headroom: int

    def begins(self, level: Level, total: int) -> int:
        """Bytes in use at which `level` begins."""
        percent = {Level.SOFT: self.soft, Level.HIGH: self.high, Level.HARD: self.hard}[level]
        return max(int(total * percent / 100), total - self.headroom // _PARTS[level])

    def level(self, usage: Usage, now: Level) -> Level:
        """The level at this use, coming from level `now`."""
        slack = int(usage.total * SLACK)
        for level in (Level.HARD, Level.HIGH, Level.SOFT):
            if usage.used >= self.begins(level, usage.total) - (slack if now >= level else 0):
                return level
        return Level.OK

    def excess(self, usage: Usage) -> int:
        """Bytes to free until the level `high` is left."""
        return max(0, usage.used - self.begins(Level.HIGH, usage.total) + int(usage.total * SLACK) + 1)


class Disk:
    """The volume under local objects; `level` looks at most every KEPT_S."""

    def __init__(
        self,
        path: Path | None,
        marks: Marks,
        *,
        reserve_bytes: int = 0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._path, self.marks, self._clock = path, marks, clock
        self._reserve_bytes = reserve_bytes
        self._until = 0.0
        self._known = Level.OK

    @property
    def governed(self) -> bool:
        """Whether there is a disk to look after."""
        return self._path is not None

    def usage(self) -> Usage | None:
        """Now; None if there is nothing to govern or it cannot be told."""
        if self._path is None:
            return None
        try:
            return usage_of(self._path)
        except OSError:
            return None

    def level(self) -> Level:
        """How full the disk is."""
        now = self._clock()
        if now >= self._until:
            self._until = now + KEPT_S
            usage = self.usage()
            if usage is not None:
                self._known = self.marks.level(usage, self._known)
                _used.set(usage.used / max(1, usage.total))
                _level.set(self._known)
        return self._known

    def hold_reserve(self) -> None:
        """Take the space that `give_reserve` gives back, if it is not taken and the disk is not too full for it."""
        usage = self.usage()
        if self._path is None or usage is None or not self._reserve_bytes or self._reserve.exists():
            return
        if usage.used + self._reserve_bytes >= self.marks.begins(Level.HIGH, usage.total):
            return
        with contextlib.suppress(OSError), open(self._reserve, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._reserve_bytes)

    def give_reserve(self) -> bool:
        """Free the reserve, so that cleaning up has room to write -> whether there was one."""
        if self._path is None:
            return False
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    @property
    def _reserve(self) -> Path:
        assert self._path is not None
        return self._path.parent / f".{self._path.name}-reserve"


def open_disk(settings: Settings) -> Disk:
    """The disk by settings."""
    marks = Marks(
        settings.disk_soft_percent,
        settings.disk_high_percent,
        settings.disk_hard_percent,
        settings.disk_headroom_bytes,
    )
    location = settings.objects_location
    path = Path(location.removeprefix("file://")) if location.startswith("file://") else None
    return Disk(path, marks, reserve_bytes=settings.disk_reserve_bytes)
