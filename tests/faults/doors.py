"""Several HTTP processes behind one name: whoever sends comes to another one each time, as behind a balancer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from client.transport import Reply, Request, Transport


class Doors:
    """Takes the next door for each request; one that is closed is an answer that did not come."""

    def __init__(self, doors: Sequence[Transport], first: int = 0) -> None:
        self._next = itertools.cycle([*doors[first % len(doors) :], *doors[: first % len(doors)]])

    async def send(self, request: Request) -> Reply:
        """Through the next door. Raises NetworkError."""
        return await next(self._next).send(request)
