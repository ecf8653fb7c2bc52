"""segment-analytics-python itself against a running server: gzip on and off, refused and hung up on for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import prometheus_client
import pytest
from segment.analytics import Client
from segment.analytics import request as segment_request

from tests.http_service.conftest import ADMIN, Site
from tests.http_service.serving import connect, serving, until

AHEAD = timedelta(hours=1)  # the server's clock before the client's
INFLIGHT_BYTES = 200_000


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy between, and the library's connections closed at the end."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    segment_request._session.close()


@pytest.fixture
async def site(make_site) -> Site:
    """An installation that takes little at once, its clock ahead of ours."""
    made: Site = await make_site(journal_inflight_bytes=INFLIGHT_BYTES)
    await made.project()
    made.clock.ahead_ms = int(AHEAD.total_seconds() * 1000)
    return made


def answers(status: int) -> int:
    """Requests to `/v1/batch` that were answered so, since the process began."""
    labels = {"route": "/v1/batch", "method": "POST", "status": str(status)}
    found = prometheus_client.REGISTRY.get_sample_value("playhead_http_requests_total", labels)
    return int(found or 0)


class Sender:
    """The library as an application uses it: six calls, each at its own moment, and one that a twin sends too."""

    def __init__(self, port: int, name: str, *, gzip: bool) -> None:
        self.problems: list[Exception] = []
        self.sent: dict[str, datetime] = {}  # message id -> the moment that the application gave
        self._client = Client(
            "shop",
            host=f"http://127.0.0.1:{port}/",
            gzip=gzip,
            on_error=lambda problem, _: self.problems.append(problem),
        )
        self._name = name
        self._began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)

    def send_all(self) -> None:
        """Each of the six calls once; returns when the server has them all."""
        who, client = f"user-{self._name}", self._client
        self._note(client.track(who, "Bought", {"plan": "gold"}, timestamp=self._moment()))
        self._note(client.identify(who, {"mail": "x@y"}, timestamp=self._moment()))
        self._note(client.page(who, "Shop", "Home", {"path": "/"}, timestamp=self._moment()))
        self._note(client.screen(who, name="Cart", timestamp=self._moment()))
        self._note(client.group(who, "team", {"size": 3}, timestamp=self._moment()))
        self._note(client.alias("before", who, timestamp=self._moment()))
        client.track(who, "Twin", message_id="twin", timestamp=self._began)
        client.flush()
        client.join()

    def _moment(self) -> datetime:
        return self._began + timedelta(seconds=len(self.sent), milliseconds=7)

    def _note(self, told: tuple[bool, dict[str, Any]]) -> None:
        taken, message = told
        assert taken
        self.sent[message["messageId"]] = datetime.fromisoformat(message["timestamp"])


@asynccontextmanager
async def sending(*senders: Sender) -> AsyncIterator[None]:
    """All at work while the block runs; at its end they have sent everything."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for each in senders:
            tasks.create_task(asyncio.to_thread(each.send_all))
        yield


async def stored(site: Site, requests: int) -> list[dict[str, Any]]:
    """All events, once so many requests are processed."""
    await site.work(requests)
    got = await site.client.get("/api/v1/events", params={"project": "shop"}, headers=ADMIN)
    events: list[dict[str, Any]] = got.json()["events"]
    return events


def check(events: list[dict[str, Any]], *senders: Sender) -> None:
    """Every message is there once, as what it was, at the moment that the server's clock gives it."""
    sent = {message_id: moment for each in senders for message_id, moment in each.sent.items()}
    assert sorted(each["id"] for each in events) == sorted([*sent, "twin"])
    assert all(not each.problems for each in senders)
    for event in (each for each in events if each["id"] != "twin"):
        data, original = event["data"], sent[event["id"]]
        assert datetime.fromisoformat(event["client_timestamp"]).replace(tzinfo=UTC) == original
        skew = datetime.fromisoformat(data["receivedAt"]) - datetime.fromisoformat(data["sentAt"])
        assert datetime.fromisoformat(event["timestamp"]).replace(tzinfo=UTC) == original + skew
        assert AHEAD - timedelta(seconds=1) < skew < AHEAD + timedelta(minutes=1)
        assert data["context"]["library"] == {"name": "analytics-python", "version": "2.4.0"}
    for each in senders:
        own = {event["category"]: event for event in events if event["id"] in each.sent}
        assert [(kind, event["name"]) for kind, event in own.items()] == [
            ("track", "Bought"), ("identify", "identify"), ("page", "Home"), ("screen", "Cart"),
            ("group", "group"), ("alias", "alias"),
        ]  # fmt: skip
        assert {event["user_id"] for event in own.values()} == {own["track"]["data"]["userId"]}
        assert own["track"]["data"]["properties"] == {"plan": "gold"}
        assert own["identify"]["data"]["traits"] == {"mail": "x@y"}
        assert (own["page"]["data"]["category"], own["page"]["data"]["properties"]) == ("Shop", {"path": "/"})
        assert (own["group"]["data"]["groupId"], own["group"]["data"]["traits"]) == ("team", {"size": 3})
        assert own["alias"]["data"]["previousId"] == "before"


async def test_a_server_that_is_overloaded_for_a_while(site) -> None:
    """A slow upload holds what the server takes at once: 503, until it gives up. Retry-After lasts five seconds."""
    taken = answers(200)
    async with serving(site.app) as (_, port):
        _, upload = await connect(port)
        upload.write(
            b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % INFLIGHT_BYTES
            + b" " * (INFLIGHT_BYTES - 100)
        )
        await upload.drain()
        plain, packed = Sender(port, "plain", gzip=False), Sender(port, "packed", gzip=True)
        refused = answers(503)
        async with sending(plain, packed):
            await until(lambda: answers(503) >= refused + 2)
            assert answers(200) == taken
            upload.close()
    check(await stored(site, answers(200) - taken), plain, packed)


async def test_a_server_that_hangs_up_at_first_then_answers(site) -> None:
    taken, met = answers(200), 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        writer.close()

    broken = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port: int = broken.sockets[0].getsockname()[1]
    plain, packed = Sender(port, "plain", gzip=False), Sender(port, "packed", gzip=True)
    async with sending(plain, packed):
        await until(lambda: met >= 3)
        broken.close()
        await broken.wait_closed()
        async with serving(site.app, port=port):
            await until(lambda: answers(200) >= taken + 2, 30)
    check(await stored(site, answers(200) - taken), plain, packed)


async def test_a_wrong_write_key_is_told_to_the_application(site) -> None:
    def run(port: int) -> list[Any]:
        problems: list[Any] = []
        client = Client(
            "wrong", host=f"http://127.0.0.1:{port}", on_error=lambda problem, items: problems.append(problem)
        )
        client.track("u", "Bought")
        client.flush()
        client.join()
        return problems

    async with serving(site.app) as (_, port):
        (problem,) = await asyncio.to_thread(run, port)
    assert (problem.status, problem.code) == (401, "invalid_write_key")
