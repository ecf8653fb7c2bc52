"""Wrong tries to sign in, by client address: some at once, then one each few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from http_service.rates import Limiter, Rate, network_of
from playhead.errors import Unauthorized

BURST: Final = 10
PAUSE_S: Final = 6  # after the burst, one try each
ADDRESSES: Final = 10_000


class Attempts:
    """Counts every try from its beginning, so that many at once count, and keeps those that end Unauthorized."""

    def __init__(self, clock: Callable[[], int]) -> None:
        rate = Rate(1 / PAUSE_S, BURST)
        self._tries = Limiter("address", rate, max_keys=ADDRESSES, clock=lambda: clock() / 1000)

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """Around one try. Raises RateLimited before it is made."""
        key = network_of(address)
        self._tries.take(key)
        try:
            yield
        except Unauthorized:
            raise
        except BaseException:
            self._tries.give_back(key)
            raise
        self._tries.give_back(key)
