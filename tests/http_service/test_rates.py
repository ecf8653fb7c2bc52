"""Bounds on how often: the algorithm by property, the routes by real requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_service.rates import Limiter, Rate, tells_apart
from playhead.errors import RateLimited
from tests.http_service.conftest import bearer

FROM = "203.0.113.9"  # the test client's own address, believed as a proxy
PHONE = {"X-Forwarded-For": "8.8.8.8"}


class Turned:
    """A clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    st.floats(0.1, 100), st.integers(1, 50), st.lists(st.floats(0, 5), min_size=1, max_size=200)
)  # fmt: skip
def test_no_window_holds_more_than_the_burst_and_the_rate(
    per_s: float, burst: int, pauses: list[float]
) -> None:
    clock = Turned()
    limiter = Limiter("address", Rate(per_s, burst), clock=clock)
    passed: list[float] = []
    for pause in pauses:
        clock.now += pause
        try:
            limiter.take("a")
            passed.append(clock.now)
        except RateLimited as refusal:
            clock.now += refusal.retry_after_s
            limiter.take("a")  # what it says is true
            passed.append(clock.now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + per_s * (passed[last] - passed[first]) + 1e-6


def test_keys_do_not_share_and_memory_is_bounded() -> None:
    clock = Turned()
    limiter = Limiter("address", Rate.per_minute(1), max_keys=100, clock=clock)
    for key in range(1000):
        limiter.take(key)
    with pytest.raises(RateLimited):
        limiter.take(999)
    assert len(limiter._new) + len(limiter._old) <= 100


def test_no_bound() -> None:
    limiter = Limiter("address", Rate.per_second(0))
    for _ in range(1000):
        limiter.take("a")


def test_only_public_addresses_stand_for_one_client() -> None:
    assert tells_apart("8.8.8.8")
    assert tells_apart("2001:4860:4860::8888")
    assert tells_apart("::ffff:8.8.8.8")
    assert not any(map(tells_apart, ("127.0.0.1", "10.1.2.3", "192.168.0.1", "fd00::1", "", "unix:")))


async def sent_until_refused(send: Callable[[int], Awaitable[httpx.Response]]) -> tuple[int, httpx.Response]:
    """How many passed, and the first refusal. A slow machine earns some more on the way."""
    for passed in range(500):
        answer = await send(passed)
        if answer.status_code == 429:
            return passed, answer
    raise AssertionError("no bound")


@pytest.mark.parametrize(
    ("setting", "same", "burst"),
    [
        ("starts_per_address_per_min", "address", 1),
        ("starts_per_address_per_min", "network", 1),
        ("starts_per_device_per_min", "device", 1),
        ("starts_per_project_per_s", "project", 10),
    ],
)
async def test_starts(make_site: Callable[..., Any], setting: str, same: str, burst: int) -> None:
    """All from one address, IPv6 network, device or project; whoever differs in that alone is let through."""
    site = await make_site(trusted_proxies=FROM, **{setting: 1})
    await site.project()
    await site.project("other")
    one = {"address": "8.8.8.8", "network": "2001:4860:1:1::", "device": "same", "project": "shop"}
    another = {"address": "8.8.4.4", "network": "2001:4860:1:2::", "device": "else", "project": "other"}

    async def start(turn: int, shared: dict[str, str] = one) -> httpx.Response:
        given = {"address": f"9.9.{turn // 250}.{turn % 250}", "device": f"device-{turn}", "project": "shop"}
        given[same] = shared[same]
        address = f"{given['network']}{turn:x}" if same == "network" else given["address"]
        body = {"projectKey": given["project"], "trackerVersion": "1.0.14", "userUUID": given["device"]}
        found: httpx.Response = await site.client.post(
            "/v1/mobile/start", json=body, headers={"X-Forwarded-For": address}
        )
        return found

    passed, refused = await sent_until_refused(start)
    assert passed >= burst
    assert refused.json()["error"]["code"] == "rate_limited"
    assert int(refused.headers["retry-after"]) >= 1
    assert (await start(501, another)).status_code == 200


async def test_appends_of_one_session_leave_the_others_alone(make_site: Callable[..., Any]) -> None:
    site = await make_site(appends_per_session_per_s=1)
    await site.project()
    first, second = bearer((await site.start())["token"]), bearer((await site.start())["token"])
    passed, _ = await sent_until_refused(
        lambda _: site.client.post("/v1/mobile/i", content=b"", headers=first)
    )
    assert passed >= 10
    assert (await site.client.post("/v1/mobile/i", content=b"", headers=second)).status_code == 200


@pytest.mark.parametrize("setting", ["requests_per_address_per_s", "requests_per_project_per_s"])
@pytest.mark.parametrize("path", ["/p/shop/a/", "/v1/track", "/api/v1/events"])
async def test_collectors(make_site: Callable[..., Any], setting: str, path: str) -> None:
    site = await make_site(trusted_proxies=FROM, **{setting: 1})
    await site.project()
    headers = {**PHONE, "X-Project-Key": "shop"}
    auth = ("shop", "") if path == "/v1/track" else None
    passed, _ = await sent_until_refused(
        lambda _: site.client.post(path, json={}, headers=headers, auth=auth)
    )
    assert passed >= 10
    if "address" in setting:
        headers["X-Forwarded-For"] = "8.8.4.4"
    else:
        await site.project("other")
        headers["X-Project-Key"], auth = "other", ("other", "") if auth else None
        path = path.replace("/p/shop/", "/p/other/")
    answer = await site.client.post(path, json={}, headers=headers, auth=auth)
    assert answer.status_code != 429
