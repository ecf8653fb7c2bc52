"""What a rule takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import xxhash

from messages import Message

#: device time (ms) and message
Timed = tuple[int, Message]
Rule = Callable[[Sequence[Timed]], "Iterable[Finding]"]

TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One issue of one session. `group` is what makes two sessions' issues the same."""

    type: str
    at_ms: int  # the device's clock
    title: str
    group: str
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> bytes:
        """Identity across sessions, 16 bytes."""
        return xxhash.xxh3_128_digest(f"{self.type}\0{self.group}".encode())

    @property
    def key(self) -> bytes:
        """Identity within its session, 16 bytes."""
        return xxhash.xxh3_128_digest(f"{self.type}\0{self.group}\0{self.at_ms}".encode())
