"""Names of journal segments: key order is time order, and no two processes make the same one."""

from __future__ import annotations

import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable

from playhead.errors import Malformed

JOURNAL_PREFIX = "journal/"
_NAME = re.compile(r"(\d{13})-[0-9a-f]+-\d+\.seg")


class SegmentNames:
    """Keys of one process, each greater than the last one even when the clock steps back; thread-safe."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.node = secrets.token_hex(4)
        self._clock = clock
        self._last_ms = 0
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()

    def next(self) -> tuple[int, str]:
        """(created_ms, key) of a new segment."""
        with self._lock:
            self._last_ms = max(self._last_ms, self._clock())
            return self._last_ms, key_of(f"{self._last_ms:013d}-{self.node}-{next(self._sequence):08d}.seg")


def hour_prefix(ms: int) -> str:
    """`journal/YYYY/MM/DD/HH/`, UTC."""
    return time.strftime(JOURNAL_PREFIX + "%Y/%m/%d/%H/", time.gmtime(ms // 1000))


def key_of(name: str) -> str:
    """The key of a segment's file name. Raises Malformed."""
    return hour_prefix(created_ms(name)) + name


def is_name(name: str) -> bool:
    """Whether this is a segment's file name."""
    return _NAME.fullmatch(name) is not None


def created_ms(key: str) -> int:
    """When a segment was sealed, from its key or file name. Raises Malformed."""
    match = _NAME.fullmatch(key.rpartition("/")[2])
    if match is None:
        raise Malformed(f"not a segment's key: {key!r}")
    return int(match[1])
