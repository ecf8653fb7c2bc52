"""Session ids: 64 bits that carry the server's clock at the start of the session.

`(ms - EPOCH_MS) << 24 | node << 8 | sequence`, decimal text in JSON. Source: spec/openreplay-mobile.md 5.1.
"""

from __future__ import annotations

import itertools
import secrets
from typing import NewType

SessionId = NewType("SessionId", int)

EPOCH_MS = 1_550_000_000_000
MAX_ID = 2**63 - 1  # a Postgres bigint; the clock reaches it in July 2036


class SessionIds:
    """Makes ids for one process; `node` (16 bits) tells processes apart, at random unless given."""

    def __init__(self, node: int | None = None) -> None:
        self._node = (secrets.randbits(16) if node is None else node) & 0xFFFF
        self._sequence = itertools.count()

    def new(self, now_ms: int) -> SessionId:
        """A new id that says `now_ms`."""
        return compose(now_ms, (self._node << 8) | (next(self._sequence) & 0xFF))


def compose(now_ms: int, low: int) -> SessionId:
    """An id from its clock and its low 24 bits."""
    return SessionId(((max(now_ms, EPOCH_MS) - EPOCH_MS) << 24) | (low & 0xFF_FFFF))


def started_ms(session_id: int) -> int:
    """The server's clock (ms) at the start of this session."""
    return (session_id >> 24) + EPOCH_MS
