"""`serve` as the supervisor calls it: inherited sockets, readiness, an orderly end."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from http_service.listening import open_sockets
from http_service.server import serve
from playhead.settings import load
from tests.http_service.conftest import bearer


async def test_it_serves_on_given_sockets_until_stopped(site):
    sockets = open_sockets(load({}, port=0))
    port = sockets[0].getsockname()[1]
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(site.services, sockets, stop=stop, on_ready=ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    token = (await site.start())["token"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        sent = [client.post("/v1/mobile/i", content=b"x" * n, headers=bearer(token)) for n in range(50)]
        assert {got.status_code for got in await asyncio.gather(*sent)} == {200}
        stop.set()
        await asyncio.wait_for(serving, 10)
    assert len(await site.records(51)) == 51


async def test_sockets_are_inheritable_and_bound_once():
    (listener,) = open_sockets(load({}, port=0))
    with listener:
        assert listener.get_inheritable()
        taken = load({}, port=listener.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            open_sockets(taken)
    assert listener.fileno() == -1


async def test_localhost_may_be_several_addresses():
    sockets = open_sockets(load({}, host="localhost", port=0))
    assert {each.family for each in sockets} <= {socket.AF_INET, socket.AF_INET6}
    assert len({each.getsockname()[1] for each in sockets}) == 1
    for each in sockets:
        each.close()
