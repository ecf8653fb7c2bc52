"""The rules of spec/hamustro.md 9, against the real collector and against one that answers as told."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.hamustro import Environment, HamustroClient, signature
from projects.model import HamustroOptions
from tests.http_service.conftest import ADMIN, make_site
from tests.http_service.serving import serving

__all__ = ["make_site"]

SECRET = "ultrasafesecret"


class Collector:
    """Answers with `statuses` in turn, then with the last one; keeps the collections that it took."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.requests: list[httpx.Request] = []
        self.taken: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            raise httpx.ConnectError("away", request=request)
        if status == 200:
            self.taken.append(json.loads(request.content))
        return httpx.Response(status)

    @property
    def numbers(self) -> list[int]:
        return [payload["nr"] for each in self.taken for payload in each["payloads"]]


class Now:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000.5

    def __call__(self) -> float:
        return self.seconds


Make = Callable[..., HamustroClient]


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def make(tmp_path: Path, now: Now) -> Make:
    def client(collector: Collector | None, **more: Any) -> HamustroClient:
        values: dict[str, Any] = {
            "collector_url": "http://collector",
            "shared_secret_key": SECRET,
            "device_id": "device-1",
            "client_id": "client-1",
            "system_version": "10.10",
            "product_version": "1.1.2",
            "env": Environment.DEVELOPMENT,
            "path": tmp_path / "queue.db",
            "clock": now,
            **more,
        }
        if collector is not None:
            values["http"] = httpx.Client(transport=httpx.MockTransport(collector))
        return HamustroClient(**values)

    return client


def test_the_device_is_hashed_once_and_the_session_is_of_the_hash(make: Make) -> None:
    with make(Collector(200)) as client:
        assert client.session == "e480d18e37b0b40a0cac13c3544a04cc"
    with make(Collector(200), env=None) as client:
        assert client.session == "f60d209a60307f1de162a91347395f65"


def test_a_request(make: Make) -> None:
    collector = Collector(200)
    with make(collector, more={"system": "OSX"}) as client:
        client.set_headers({"X-Mine": "1"})
        client.set_user(97421193)
        client.set_tenant("t")
        assert client.track("Client.CreateUser", {"b": "ü"}, ip="1.2.3.4", timezone="UTC") == 1
    (request,) = collector.requests
    assert str(request.url) == "http://collector/api/v1/track"
    assert (request.headers["content-type"], request.headers["x-mine"]) == ("application/json", "1")
    moment = request.headers["x-hamustro-time"]
    assert moment == "1700000000"
    assert request.headers["x-hamustro-signature"] == signature(request.content, moment, SECRET)
    (collection,) = collector.taken
    assert collection.pop("payloads") == [
        {
            "at": 1_700_000_000,
            "event": "Client.CreateUser",
            "nr": 1,
            "user_id": "97421193",
            "tenant_id": "t",
            "ip": "1.2.3.4",
            "timezone": "UTC",
            "parameters": [{"name": "b", "value": "ü"}],
        }
    ]
    assert collection == {
        "device_id": hashlib.sha256(b"device-1").hexdigest(),
        "client_id": "client-1",
        "session": "e480d18e37b0b40a0cac13c3544a04cc",
        "system_version": "10.10",
        "product_version": "1.1.2",
        "env": "DEVELOPMENT",
        "system": "OSX",
    }


def test_numbers_never_reset_not_even_at_a_new_start(make: Make) -> None:
    collector = Collector(200)
    for wanted in ((1, 2), (3, 4), (5, 6)):
        with make(collector) as client:
            assert (client.track("a"), client.track("b")) == wanted
    with make(collector, product_version="1.1.3") as client:  # another session
        assert client.track("a") == 1
    with make(collector) as client:
        assert client.track("a") == 7


def test_it_sends_at_once_then_by_size(make: Make) -> None:
    collector = Collector(200)
    with make(collector, queue_size=3) as client:
        client.track("first")
        assert collector.numbers == [1]
        client.track("a")
        client.track("b")
        assert (collector.numbers, client.unsent) == ([1], 2)
        client.track("c")
        assert (collector.numbers, client.unsent) == ([1, 2, 3, 4], 0)
    assert len(collector.requests) == 2


def test_it_sends_by_age(make: Make, now: Now) -> None:
    collector = Collector(200)
    with make(collector, queue_retention=10) as client:
        client.track("first")
        now.seconds += 600
        client.track("not yet")
        assert collector.numbers == [1]
    now.seconds += 1
    with make(collector, queue_retention=10) as client:
        client.track("now")
        assert collector.numbers == [1, 2, 3]


@pytest.mark.parametrize("status", [204, 201, 302, 400, 401, 405, 413, 429, 500, 503, 0])
def test_only_200_lets_go(make: Make, status: int) -> None:
    collector = Collector(status, 200)
    with make(collector) as client:
        client.track("a")
        assert client.unsent == 1
    with make(collector) as client:
        client.track("b")
        assert (collector.numbers, client.unsent) == ([1, 2], 0)


def test_nothing_is_sent_without_events(make: Make) -> None:
    collector = Collector(200)
    with make(collector) as client:
        assert client.send()
    assert collector.requests == []


def test_one_request_a_session_each_with_its_own_fields(make: Make) -> None:
    away, collector = Collector(0), Collector(200)
    for version in ("1", "2"):
        with make(away, product_version=version) as client:
            client.track(f"of {version}")
    with make(collector, product_version="3") as client:
        client.track("of 3")
    found = [(each["product_version"], each["payloads"][0]["event"]) for each in collector.taken]
    assert found == [("1", "of 1"), ("2", "of 2"), ("3", "of 3")]
    assert len({each["session"] for each in collector.taken}) == 3


def test_a_session_that_is_refused_does_not_hold_up_the_others(make: Make) -> None:
    with make(Collector(0), product_version="1") as client:
        client.track("old")
    collector = Collector(400, 200)
    with make(collector, product_version="2") as client:
        client.track("new")
        assert (client.unsent, len(collector.taken)) == (1, 1)


def test_a_long_queue_goes_out_in_parts(make: Make) -> None:
    collector = Collector(200)
    with make(Collector(0)) as client:
        for _ in range(1200):
            client._queue.add(client._fields, {"at": 1, "event": "e"})
    with make(collector) as client:
        assert client.send()
    assert [len(each["payloads"]) for each in collector.taken] == [1000, 200]
    assert collector.numbers == list(range(1, 1201))


def test_large_events_go_out_in_requests_that_are_not(make: Make) -> None:
    collector = Collector(0)
    with make(collector, queue_size=100) as client:
        for number in range(30):
            client.track("e", {"text": "\u00fc" * 100_000, "n": str(number)})
        with pytest.raises(ValueError):
            client.track("e", {"text": "x" * 1_000_001})
        collector.statuses = [200]
        assert client.send()
    assert max(len(request.content) for request in collector.requests) < 2_000_000
    assert [len(each["payloads"]) for each in collector.taken] == [4] * 7 + [2]
    assert collector.numbers == list(range(1, 31))


def test_a_slow_sender_stays_the_only_one(make: Make, now: Now) -> None:
    """With a request for each of many sessions it takes longer than a lease at its start would last."""
    asked = 0

    class Slow(Collector):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            now.seconds += 9
            assert other.send() is False
            return super().__call__(request)

    slow, idle = Slow(200), Collector(200)
    for version in range(8):
        with make(Collector(0), product_version=str(version)) as client:
            client.track("e")
    with make(slow) as client, make(idle) as other:
        assert client.send()
    assert (asked, idle.requests) == (8, [])


def test_user_and_tenant_survive_a_restart(make: Make) -> None:
    collector = Collector(200)
    with make(collector) as client:
        client.set_user("u")
        client.set_tenant("t")
    with make(collector, queue_size=1) as client:
        client.track("a")
        client.set_user(None)
        client.track("b", user_id="v")
        client.track("c")
    sent = [payload for each in collector.taken for payload in each["payloads"]]
    assert [each.get("user_id") for each in sent] == ["u", "v", None]
    assert [each["tenant_id"] for each in sent] == ["t"] * 3


def test_threads_number_and_send_every_event_once(make: Make) -> None:
    collector = Collector(200)
    with make(collector, queue_size=5) as client:

        def work() -> None:
            for _ in range(25):
                client.track("e")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.send()
    assert sorted(collector.numbers) == list(range(1, 101))


def test_a_sender_that_died_does_not_stop_the_others_for_ever(make: Make, now: Now) -> None:
    collector = Collector(200)
    with make(collector) as client:
        assert client._queue.lease(now.seconds, now.seconds + 40)
        client.track("a")
        assert (client.unsent, collector.requests) == (1, [])
        now.seconds += 41
        client.track("b")
        assert client.unsent == 0


@pytest.mark.parametrize(
    ("values", "arguments"),
    [
        ({}, {"colour": "x"}),
        ({}, {"is_testing": True}),
        ({}, {"ip": 5}),
        ({}, {"parameters": "a=b"}),
        ({"env": None}, {"timezone": "UTC"}),
        ({"env": None}, {"is_testing": 1}),
        ({"env": None}, {"user_id": "bob"}),
        ({"env": None}, {"user_id": 2**32}),
    ],
)
def test_what_the_collector_would_refuse_for_ever_is_refused_at_once(
    make: Make, values: dict[str, Any], arguments: dict[str, Any]
) -> None:
    with make(Collector(200), **values) as client:
        with pytest.raises(ValueError):
            client.track("e", **arguments)
        assert client.unsent == 0


@pytest.mark.parametrize(
    "values", [{"collector_url": ""}, {"shared_secret_key": ""}, {"more": {"colour": "x"}}]
)
def test_what_is_needed(make: Make, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make(Collector(200), **values)


@pytest.mark.parametrize("env", [None, Environment.PRODUCTION, Environment.DEVELOPMENT])
async def test_against_the_collector(make_site, make: Make, env: Environment | None) -> None:
    site = await make_site()
    await site.project(hamustro=HamustroOptions(shared_secret=SECRET))

    def run(url: str) -> int:
        with make(None, collector_url=url, env=env, queue_size=2) as client:
            client.set_user(7)
            client.track("first", {"a": "b\ud800"})
            client.track("größe")
            return client.unsent

    async with serving(site.app) as (_, port):
        assert await asyncio.to_thread(run, f"http://127.0.0.1:{port + 1 if port < 65535 else 1}") == 2
        assert await asyncio.to_thread(run, f"http://127.0.0.1:{port}/p/shop/") == 1
        assert await asyncio.to_thread(run, f"http://127.0.0.1:{port}/p/shop/api/v1/track") == 1
    await site.work(2)
    query = {"project": "shop", "source": "hamustro"}
    events = (await site.client.get("/api/v1/events", params=query, headers=ADMIN)).json()["events"]
    assert sorted(event["data"]["nr"] for event in events) == [1, 2, 3, 4, 5]
    assert {event["user_id"] for event in events} == {"7"}
    assert {event["name"] for event in events} == {"first", "größe"}
