"""What the routes of one process share, built once by app.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from http_service.attempts import Attempts
from http_service.limits import Budget
from http_service.rates import Rates
from ingest.geo import Geo
from playhead.errors import BadSettings
from sessions.ids import SessionIds

if TYPE_CHECKING:
    from http_service.openapi import Description
    from http_service.readiness import Readiness
    from playhead.wiring import Services

Network = IPv4Network | IPv6Network
_MAX_HOPS: Final = 20


@dataclass(frozen=True, slots=True)
class Context:
    """Services and the few things that only HTTP needs."""

    services: Services
    budget: Budget
    rates: Rates
    arrivals: Arrivals
    session_ids: SessionIds
    geo: Geo
    trusted: tuple[Network, ...]
    readiness: Readiness
    attempts: Attempts
    description: Description
    stopping: asyncio.Event  # set by the signal to stop; requests may still come for a while

    def client_address(self, request: Request) -> str:
        """The client's address: the peer's, or behind trusted proxies the nearest one that is none."""
        address = _peer(request)
        if not self._is_trusted(address):
            return address
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-_MAX_HOPS:]):
            hop = _without_port(hop.strip())
            if not hop:
                continue
            address = hop
            if not self._is_trusted(hop):
                break
        return address

    def is_encrypted(self, request: Request) -> bool:
        """Whether the client came by https, as the public address or a trusted proxy says."""
        if self.services.settings.public_url.startswith("https:"):
            return True
        told = request.headers.get("x-forwarded-proto", "").split(",")[-1].strip().lower()
        return told == "https" and self._is_trusted(_peer(request))

    def _is_trusted(self, address: str) -> bool:
        if not self.trusted:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.trusted)


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _without_port(hop: str) -> str:
    """`1.2.3.4:80` and `[::1]:80`, as some proxies write, without the port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


class Arrivals:
    """Times of arrival: µs since the epoch, each later than the one before within this process."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._last = 0

    def __call__(self) -> int:
        self._last = max(self._clock() * 1000, self._last + 1)
        return self._last


def networks(text: str) -> tuple[Network, ...]:
    """`10.0.0.0/8, 127.0.0.1` -> networks. Raises BadSettings."""
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as problem:
        raise BadSettings([f"PLAYHEAD_TRUSTED_PROXIES: {problem}"]) from None
