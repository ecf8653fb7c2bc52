"""What a shared cache promises, and the bus by which processes tell each other what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Cache(Protocol):
    """Bytes under short text keys, for a while. Nothing here raises: a cache that fails holds nothing.

    An entry may vanish at any time. After `bar` no process sees the old value, and for that time `set` is
    refused: whoever read the old truth before the change cannot put it back.
    """

    async def get(self, key: str) -> bytes | None:
        """The value, or None: absent, barred, timed out, or the cache is away."""
        ...

    async def set(self, key: str, value: bytes, ttl_ms: int) -> bool:
        """Holds `value` for `ttl_ms`; False: barred, or the cache is away."""
        ...

    async def bar(self, key: str, for_ms: int) -> None:
        """Forgets the value and refuses new ones for `for_ms`; made up for later if the cache is away."""
        ...

    async def check(self) -> str:
        """Empty, or what is wrong, for the readiness page."""
        ...


class Bus(Protocol):
    """Short texts from any process to all processes, the sender's own included; some may get lost."""

    async def publish(self, channel: str, payload: str) -> None:
        """Sends; raises Unavailable when that is impossible now."""
        ...

    async def subscribe(
        self, channel: str, callback: Callable[[str], None], *, on_gap: Callable[[], None] | None = None
    ) -> None:
        """Calls `callback` for each text, and `on_gap` when some may have been lost."""
        ...
