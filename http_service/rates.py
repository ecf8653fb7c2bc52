"""How often one address, project, device or session may ask. Each HTTP process counts for itself, in memory.

Generic cell rate algorithm: one number per key, the time at which its bucket will be empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic
from typing import Final

from playhead.errors import RateLimited
from playhead.settings import Settings

MAX_KEYS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` in the long run, `burst` at once; `per_s` 0: no bound."""

    per_s: float
    burst: float

    @classmethod
    def per_minute(cls, count: int) -> Rate:
        """`count` in any minute's beginning, then evenly."""
        return cls(count / 60, count)

    @classmethod
    def per_second(cls, count: int) -> Rate:
        """`count` per s, ten seconds' worth at once."""
        return cls(count, count * 10)


class Limiter:
    """One rate for each of many keys. The keys seen last are remembered, at most MAX_KEYS of them."""

    __slots__ = ("_clock", "_cost_s", "_max_keys", "_new", "_old", "_room_s", "_what")

    def __init__(
        self, what: str, rate: Rate, *, max_keys: int = MAX_KEYS, clock: Callable[[], float] = monotonic
    ) -> None:
        self._what = what
        self._cost_s = 1 / rate.per_s if rate.per_s else 0.0
        self._room_s = self._cost_s * rate.burst
        self._max_keys, self._clock = max_keys, clock
        self._new: dict[Hashable, float] = {}
        self._old: dict[Hashable, float] = {}

    def take(self, key: Hashable) -> None:
        """One more by this key. Raises RateLimited, with the time after which one more would pass."""
        if not self._cost_s:
            return
        now = self._clock()
        empty_at = self._new.get(key) or self._old.get(key) or 0.0
        empty_at = max(empty_at, now) + self._cost_s
        over_s = empty_at - now - self._room_s
        if over_s > 1e-9:
            wait_s = max(1, math.ceil(over_s))
            raise RateLimited(f"too many requests from this {self._what}", retry_after_s=wait_s)
        if len(self._new) >= self._max_keys // 2 and key not in self._new:
            self._old, self._new = self._new, {}
        self._new[key] = empty_at

    def give_back(self, key: Hashable) -> None:
        """The one that was taken last does not count."""
        if key in self._new:
            self._new[key] -= self._cost_s


class Rates:
    """All bounds of one process."""

    def __init__(self, settings: Settings) -> None:
        self._start_address = Limiter("address", Rate.per_minute(settings.starts_per_address_per_min))
        self._start_device = Limiter("device", Rate.per_minute(settings.starts_per_device_per_min))
        self._start_project = Limiter("project", Rate.per_second(settings.starts_per_project_per_s))
        self._address = Limiter("address", Rate.per_second(settings.requests_per_address_per_s))
        self._project = Limiter("project", Rate.per_second(settings.requests_per_project_per_s))
        self.append = Limiter("session", Rate.per_second(settings.appends_per_session_per_s)).take

    def start(self, *, address: str, project_id: int, user_uuid: str) -> None:
        """A session is about to begin. Raises RateLimited."""
        if tells_apart(address):
            self._start_address.take(network_of(address))
        if user_uuid:
            self._start_device.take((project_id, user_uuid))
        self._start_project.take(project_id)

    def sender(self, address: str) -> None:
        """A request of a collector's client. Raises RateLimited."""
        if tells_apart(address):
            self._address.take(network_of(address))

    def project(self, project_id: int) -> None:
        """The same, once its project is known. Raises RateLimited."""
        self._project.take(project_id)


@lru_cache(10_000)
def tells_apart(address: str) -> bool:
    """Whether an address stands for one client: a private one is rather a proxy that all clients share."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_global


@lru_cache(10_000)
def network_of(address: str) -> str:
    """The address; of IPv6 the network, as each client has one of its own."""
    parsed = _parsed(address)
    if not isinstance(parsed, IPv6Address):
        return address if parsed is None else str(parsed)
    return str(int(parsed) >> 64)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """None for what is no address. An IPv4 one may be written as IPv6, as sockets for both do."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed
