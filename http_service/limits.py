"""Request bodies: bounded one by one and together. How slowly they may come is guard.py's."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from starlette.types import Receive

from playhead.errors import InvalidBody, Overloaded, TooLarge


class ClientGone(Exception):
    """The client left before its body was whole; there is nobody to answer."""


class Budget:
    """Bytes of request bodies that this process holds at once; beyond `max_bytes` requests are refused."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.held_bytes = 0

    def hold(self) -> Held:
        """A share of the budget for one request, given back on leaving its `with` block."""
        return Held(self)

    def take(self, size: int) -> None:
        """Raises Overloaded when that would be too much."""
        if self.held_bytes + size > self._max_bytes:
            raise Overloaded("too many bytes in flight", retry_after_s=5)
        self.held_bytes += size


class Held:
    """What one request holds of the budget."""

    __slots__ = ("_budget", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.held_bytes -= self.size
        self.size = 0

    def add(self, size: int) -> None:
        """`size` more bytes came. Raises Overloaded."""
        self._budget.take(size)
        self.size += size


def declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Content-Length, None if there is none. Raises InvalidBody if it is no length."""
    for name, value in headers:
        if name == b"content-length":
            return parse_length(value)
    return None


def parse_length(value: bytes) -> int:
    """Digits -> length. Raises InvalidBody."""
    if not value.isdigit() or len(value) > 18:
        raise InvalidBody("Content-Length is no length", code="bad_content_length")
    return int(value)


async def read_body(receive: Receive, *, declared: int | None, limit: int, held: Held) -> bytes:
    """The whole body. Raises TooLarge (by its declared length before reading, else while counting), Overloaded,
    ClientGone.
    """
    if declared is not None and declared > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    first: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(first) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        held.add(len(first))
        return first
    gathered = bytearray(first)
    held.add(len(first))
    while message.get("more_body", False):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunk = message.get("body", b"")
        if len(gathered) + len(chunk) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        held.add(len(chunk))
        gathered += chunk
    return bytes(gathered)
