"""The event client against the real server, also while that is stopped, started and refuses."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from client.events import EventClient, EventServiceError, QueueFull
from tests.playhead.program import ROOT, Program, until

FAST = {"first_pause_s": 0.05, "last_pause_s": 0.5, "trust_env": False}


@pytest.fixture(scope="module")
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


def launch(folder: Path, port: int) -> Program:
    return Program(folder, "serve", settings={"claim_timeout_s": "5", "port": str(port)}).await_ready()


@pytest.fixture(scope="module")
def servers(folder: Path, port: int) -> Iterator[list[Program]]:
    """The one running server; tests that stop it put the next one here."""
    running = [launch(folder, port)]
    yield running
    running[0].close()


@pytest.fixture
def shop(servers: list[Program]) -> Iterator[dict[str, Any]]:
    """A new project: arguments for a client that may do everything."""
    key = f"p{time.time_ns()}"
    assert servers[0].post("/api/v1/projects", {"name": "Shop", "key": key}).status_code == 201
    made = servers[0].post(f"/api/v1/projects/{key}/api-keys", {"role": "write"}).json()
    yield {"base_url": servers[0].url, "project_key": key, "api_key": made["secret"], **FAST}


def read(client: EventClient, count: int, **filters: Any) -> list[dict[str, Any]]:
    """All events, once there are that many."""
    assert until(lambda: len(list(client.events(**filters))) >= count)
    return list(client.events(**filters))


def test_what_is_sent_is_there(shop: dict[str, Any]) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    with EventClient(**shop, name="Kiosk") as client:
        at = datetime(2021, 9, 26, 11, 15, 27, 5, tzinfo=timezone(timedelta(hours=2)))
        first = client.send("s1", "view", {"page": 1}, timestamp=at)
        second = client.send("s1", "click", {}, name="Other", id="my-id")
        assert (second, client.flush(20)) == ("my-id", True)
        events = read(client, 2)
        assert [(e["id"], e["name"], e["category"], e["data"]) for e in events] == [
            (first, "Kiosk", "view", {"page": 1}), ("my-id", "Other", "click", {}),
        ]  # fmt: skip
        assert events[0]["timestamp"] == "2021-09-26 09:15:27.000005"
        assert datetime.fromisoformat(events[1]["timestamp"]) >= before
        assert [each["session_id"] for each in client.sessions()] == ["s1"]
        assert [each["id"] for each in client.session("s1", category="click")] == ["my-id"]
        assert [each["id"] for each in client.events(start=at, end=at, order="desc")] == [first]
        with pytest.raises(EventServiceError) as caught:
            list(client.session("none"))
        assert (caught.value.status, caught.value.code) == (404, "not_found")


def test_refused_events_go_to_on_error_and_stop_nobody(shop: dict[str, Any]) -> None:
    refused: list[tuple[str, str, str]] = []

    def on_error(event: dict[str, Any], error: EventServiceError) -> None:
        refused.append((event["id"], error.code, (error.details or [{}])[0].get("code", "")))
        raise RuntimeError("the callback's own fault")

    with EventClient(**shop, on_error=on_error) as client:
        assert client.put_schema("view", {"required": ["page"]})["version"] == 1
        client.send("s1", "view", {"page": 1}, id="good")
        client.send("s1", "view", {}, id="bad data")
        client.send("s1", "click", {}, timestamp="2999-01-01 00:00:00", id="future")
        client.send("s1", "click", {}, id="good")
        assert client.flush(20)
        assert [each["id"] for each in read(client, 1)] == ["good"]
        assert [each["event"]["id"] for each in client.errors(code="schema_violation")] == ["bad data"]
    assert sorted(refused) == [
        ("bad data", "validation_failed", "schema_violation"),
        ("future", "validation_failed", "future_timestamp"),
        ("good", "id_conflict", ""),
    ]


def test_a_wrong_key_is_final(shop: dict[str, Any]) -> None:
    refused: list[int] = []
    wrong = {**shop, "project_key": "wrong"}
    with EventClient(**wrong, on_error=lambda event, error: refused.append(error.status)) as client:
        client.send("s1", "view", {})
        assert client.flush(20)
        with pytest.raises(EventServiceError) as caught:
            client.send_now({"session_id": "s1", "category": "view", "data": {}})
        assert caught.value.code == "unauthorized"
    assert refused == [401]


def test_send_now_answers(shop: dict[str, Any]) -> None:
    good, bad = (
        {"session_id": "s1", "category": "c", "data": {}},
        {"session_id": "", "category": "c", "data": {}},
    )
    with EventClient(**shop) as client:
        answer = client.send_now(good)
        assert (answer["status"], answer["duplicate"]) == ("accepted", False)
        assert client.send_now({**good, "id": "x"})["id"] == "x"
        assert client.send_now([good, bad])["rejected"] == 1
        assert client.send_now([bad])["accepted"] == 0
        with pytest.raises(EventServiceError) as caught:
            client.send_now(bad)
        assert (caught.value.status, caught.value.code) == (422, "validation_failed")
        assert caught.value.details[0]["field"] == "session_id"


def test_the_obvious_is_refused_at_once(shop: dict[str, Any]) -> None:
    with EventClient(**shop, max_queued=1) as client:
        bad: list[tuple[Any, ...]] = [
            ("", "c", {}), ("s", " ", {}), ("s", "c" * 129, {}), (5, "c", {}), ("s", "c", []),
            ("s", "c", {"x": object()}), ("s", "c", {"x": float("nan")}), ("s", "c", {"x": "y" * 1_000_001}),
        ]  # fmt: skip
        for arguments in bad:
            with pytest.raises(ValueError):
                client.send(*arguments)
    with pytest.raises(ValueError):
        client.send("s", "c", {})


def test_batches_that_are_too_large_are_halved(shop: dict[str, Any]) -> None:
    with EventClient(**shop, batch_size=1000) as client:
        for number in range(6):
            client.send("s1", "c", {"text": "ü" * 200_000, "n": number})
        assert client.flush(30)
        assert [each["data"]["n"] for each in read(client, 6)] == list(range(6))


def test_many_threads(shop: dict[str, Any]) -> None:
    with EventClient(**shop) as client:

        def run(number: int) -> None:
            for n in range(50):
                client.send(f"s{number}", "c", {"n": n})

        threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush(60)
        assert until(lambda: sum(each["event_count"] for each in client.sessions()) == 1000)
        assert [each["event_count"] for each in client.sessions()] == [50] * 20


def test_the_server_goes_away_and_comes_back(
    shop: dict[str, Any], servers: list[Program], folder: Path, port: int
) -> None:
    """Stopped, killed, started: everything arrives once."""
    with EventClient(**shop, batch_size=7, attempts=100) as client:
        stop = threading.Event()
        sent: list[str] = []

        def run() -> None:
            while not stop.is_set():
                sent.append(client.send("s1", "c", {"n": len(sent)}))
                time.sleep(0.005)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.5)
        for end in ("stop", "kill"):
            if end == "stop":
                servers[0].stop()
            else:
                for child in servers[0].children().values():
                    child.kill()
                servers[0].process.kill()
                servers[0].process.wait()
            assert not client.flush(1)
            servers[0] = launch(folder, port)
            time.sleep(1)
        stop.set()
        thread.join()
        assert client.flush(60)
        events = read(client, len(sent))
        assert sorted(each["id"] for each in events) == sorted(sent)
        assert [each["data"]["n"] for each in events] == list(range(len(sent)))


def test_a_queue_file_survives_the_process(shop: dict[str, Any], tmp_path: Path) -> None:
    """Killed before anything went out; the next process on the same file sends it."""
    queue = tmp_path / "events.db"
    script = (
        "import os, sys\nfrom client.events import EventClient\n"
        "client = EventClient('http://127.0.0.1:9', 'x', queue_path=sys.argv[1])\n"
        "for n in range(10): print(client.send('s1', 'c', {'n': n}), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(queue)], cwd=ROOT, capture_output=True, text=True
    )
    sent = done.stdout.split()
    assert (done.returncode, len(sent)) == (-9, 10)
    with EventClient(**shop, queue_path=queue) as client:
        assert client.flush(20)
        assert [each["id"] for each in read(client, 10)] == sent
    with EventClient(**shop, queue_path=queue) as client:
        assert client.flush(0)


def test_a_program_that_just_ends_has_sent_all(shop: dict[str, Any]) -> None:
    script = (
        "import sys\nfrom client.events import EventClient\n"
        "client = EventClient(sys.argv[1], sys.argv[2], trust_env=False)\n"
        "for n in range(300): client.send('s1', 'c', {'n': n})\n"
    )
    arguments = [sys.executable, "-c", script, shop["base_url"], shop["project_key"]]
    subprocess.run(arguments, cwd=ROOT, check=True, timeout=60)
    with EventClient(**shop) as client:
        assert len(read(client, 300)) == 300


def test_a_full_queue_says_so() -> None:
    client = EventClient("http://127.0.0.1:9", "x", max_queued=3, **FAST)  # type: ignore[arg-type]
    for _ in range(3):
        client.send("s", "c", {})
    with pytest.raises(QueueFull):
        client.send("s", "c", {})
    began = time.monotonic()
    assert client.close(0.5) is False
    assert client.close() is True
    assert time.monotonic() - began < 5
