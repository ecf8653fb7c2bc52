"""Many senders of the same ids, on several processes at once; and what is taken while the database is away."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from typing import Any

import httpx
import pytest

from http_service.app import build_app
from playhead.wiring import open_services
from projects.changes import ProjectCreate
from storage.migrate import migrate
from tests.http_service.conftest import settings_for
from tests.http_service.test_events_api import KEY, URL, code, event
from tests.playhead.program import Program, until
from tests.servers import PostgresServer

THREADS = 50
IDS = 20


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Two HTTP processes and the project `shop`."""
    made = Program(tmp_path_factory.mktemp("program"), "serve", settings={"http_processes": "2"})
    try:
        made.await_ready()
        assert made.post("/api/v1/projects", {"name": "Shop", "key": "shop"}).status_code == 201
        yield made
    finally:
        made.close()


def test_of_all_who_send_an_id_one_is_told_that_it_is_new(program):
    """50 threads on two processes: singles and batches, all of the same ids, some with another event under them."""
    told: list[tuple[str, str, bool | str]] = []
    gate = threading.Barrier(THREADS)

    def run(number: int) -> None:
        order = random.Random(number).sample(range(IDS), IDS)
        name = "Other" if number % 10 == 0 else "Shop"
        events = [event(id=f"e{n}", name=name) for n in order]
        with httpx.Client(base_url=program.url, headers=KEY, trust_env=False, timeout=60) as client:
            gate.wait()
            if number % 2:
                for one in events:
                    answer = client.post(URL, json=one).json()
                    told.append((one["id"], name, answer.get("duplicate", "conflict")))
            else:
                results = client.post(URL, json=events).json()["results"]
                for one, result in zip(events, results, strict=True):
                    taken = result["status"] == "accepted"
                    told.append((one["id"], name, result["duplicate"] if taken else "conflict"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(told) == THREADS * IDS
    new = Counter(event_id for event_id, _, answer in told if answer is False)
    assert new == {f"e{n}": 1 for n in range(IDS)}
    winners = {event_id: name for event_id, name, answer in told if answer is False}
    for event_id, name, answer in told:
        assert (answer == "conflict") == (name != winners[event_id])

    def stored() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = program.get(f"{URL}?project=shop&limit=1000").json()["events"]
        return found

    assert until(lambda: len(stored()) >= IDS)
    assert {each["id"]: each["name"] for each in stored()} == winners
    assert len(stored()) == IDS


def test_a_changed_schema_binds_in_every_process_from_its_answer_on(program):
    """Both processes check events all the while; from the moment of the answer on none goes by what was before."""
    category, stop = "of schemas", threading.Event()

    def status() -> int:
        """Of an event sent on a connection of its own, so that now this process takes it, now that."""
        with httpx.Client(base_url=program.url, headers=KEY, trust_env=False, verify=False) as client:
            return client.post(URL, json=event(category=category), timeout=60).status_code

    def keep_busy() -> None:
        while not stop.is_set():
            status()

    senders = [threading.Thread(target=keep_busy) for _ in range(4)]
    for sender in senders:
        sender.start()
    try:
        path = f"{program.url}/api/v1/schemas/{category}?project=shop"
        admin = {"Authorization": f"Bearer {program.admin_key}"}
        for turn in range(8):
            with httpx.Client(headers=admin, trust_env=False, timeout=60) as client:
                if turn % 4 == 3:
                    assert client.delete(path).status_code == 204
                else:
                    assert client.put(path, json=bool(turn % 2)).status_code in (200, 201)
            wanted = 202 if turn % 2 else 422
            assert {status() for _ in range(12)} == {wanted}, turn
    finally:
        stop.set()
        for sender in senders:
            sender.join()


async def test_without_the_database_what_needs_no_id_is_taken(tmp_path):
    server = PostgresServer()
    server.start()
    try:
        await migrate(server.dsn)
        async with open_services(
            settings_for(server.dsn, tmp_path, query_timeout_s=2), role="http"
        ) as services:
            await services.projects.create(ProjectCreate(name="Shop", key="shop"))
            transport = httpx.ASGITransport(build_app(services))
            async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=KEY) as client:
                assert (await client.post(URL, json=event())).status_code == 202
                server.stop()
                assert (await client.post(URL, json=[event(), event()])).status_code == 202
                assert (await client.post(URL, json=event(name=""))).status_code == 422
                for body in (event(id="e1"), [event(), event(id="e1")]):
                    got = await client.post(URL, json=body)
                    assert code(got) == (503, "database_unavailable")
                    assert int(got.headers["retry-after"]) > 0
                server.start()
                assert await _sent(client, event(id="e1")) is False
                assert await _sent(client, event(id="e1")) is True
    finally:
        server.close()


async def _sent(client: httpx.AsyncClient, value: dict[str, Any]) -> bool:
    """Whether it was a duplicate; tries until the database is back."""
    for _ in range(200):
        got = await client.post(URL, json=value)
        if got.status_code != 503:
            break
        await asyncio.sleep(0.1)
    duplicate: bool = got.json()["duplicate"]
    return duplicate
