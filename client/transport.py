"""How a simulated phone reaches its server: one method, so the network can be real, in-process or broken."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Protocol

import httpx


class NetworkError(Exception):
    """No answer: refused, cut off or timed out."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out; `path` below the server's base URL."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back."""

    status: int
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether an SDK takes it for success: any 2xx."""
        return 200 <= self.status < 300


class Transport(Protocol):
    """Delivers a request. Raises NetworkError when no answer came; it may have arrived all the same."""

    async def send(self, request: Request) -> Reply: ...


class HttpTransport:
    """Over an httpx client that the caller owns: phones that share it share its connections."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")

    async def send(self, request: Request) -> Reply:
        try:
            answer = await self._client.request(
                request.method, self._base_url + request.path, headers=request.headers, content=request.body
            )
        except httpx.HTTPError as problem:
            raise NetworkError(type(problem).__name__) from problem
        return Reply(answer.status_code, answer.content)


def open_http_client(connections: int = 20) -> httpx.AsyncClient:
    """A client with the SDKs' timeout (30 s) and without the environment's proxies."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(timeout=30.0, limits=limits, trust_env=False)


@dataclass(slots=True)
class Faults:
    """How bad a network is: shares (0..1) of requests that never arrive, of lost answers, of refusals."""

    drop: float = 0.0
    lose_reply: float = 0.0
    refuse: float = 0.0
    refusal: int = 503


class FlakyTransport:
    """Breaks another transport by the dice of `seed`."""

    def __init__(self, inner: Transport, faults: Faults, seed: int = 0) -> None:
        self._inner = inner
        self._faults = faults
        self._dice = random.Random(seed)

    async def send(self, request: Request) -> Reply:
        roll = self._dice.random()
        faults = self._faults
        if roll < faults.drop:
            raise NetworkError("dropped")
        if roll < faults.drop + faults.refuse:
            return Reply(faults.refusal)
        reply = await self._inner.send(request)
        if roll < faults.drop + faults.refuse + faults.lose_reply:
            raise NetworkError("reply lost")
        return reply
