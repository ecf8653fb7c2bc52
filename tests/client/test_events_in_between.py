"""The event client and whatever stands between it and the service, or shares its queue: nothing is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from client.event_queue import EventQueue
from client.events import EventClient
from tests.playhead.program import until

Rule = Callable[[list[dict[str, Any]]], tuple[int, bytes] | None]


class Portal(ThreadingHTTPServer):
    """Answers as `rule` says; where it says nothing, takes the events."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.rule: Rule = lambda events: None
        self.asked = 0
        self.taken: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        portal: Portal = self.server  # type: ignore[assignment]
        events = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = portal.rule(events) or (202, _results(events))
        if status == 202:
            portal.taken += [each["id"] for each in events]
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        portal.asked += 1

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _results(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"results": [{"status": "accepted", "id": each["id"]} for each in events]}).encode()


@pytest.fixture
def portal() -> Iterator[Portal]:
    with Portal() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def client_of(portal: Portal, **more: Any) -> EventClient:
    url = f"http://127.0.0.1:{portal.server_port}"
    return EventClient(url, "shop", first_pause_s=0.01, last_pause_s=0.05, trust_env=False, **more)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"ok": true}'),
        (200, b"[]"),
        (200, b'{"results": []}'),
        (200, b'{"results": [{"error": {}}]}'),
        (200, b"<html>"),
        (302, b'{"error": {"code": "moved", "message": ""}}'),
        (422, b"5"),
        (429, b""),
        (503, b""),
    ],
)
def test_what_is_not_the_services_answer_ends_nothing(portal: Portal, status: int, body: bytes) -> None:
    portal.rule = lambda events: (status, body)
    refused: list[Any] = []
    with client_of(portal, on_error=lambda event, error: refused.append(error)) as client:
        sent = client.send("s", "c", {})
        final = (status, body) == (422, b"5")
        assert until(lambda: portal.asked >= (1 if final else 3))
        portal.rule = lambda events: None
        assert client.flush(20)
    assert portal.taken == ([] if final else [sent])
    assert len(refused) == final


def test_one_event_that_spoils_a_batch_is_refused_alone(portal: Portal) -> None:
    bad = (400, b'{"error": {"code": "invalid_json", "message": "x"}}')
    portal.rule = lambda events: bad if any(each["data"] == {"n": 13} for each in events) else None
    refused: list[Any] = []
    with client_of(portal, on_error=lambda event, error: refused.append(event["data"])) as client:
        sent = [client.send("s", "c", {"n": n}) for n in range(40)]
        assert client.flush(20)
    assert refused == [{"n": 13}]
    assert portal.taken == [each for n, each in enumerate(sent) if n != 13]


def test_clients_may_share_a_queue_file(portal: Portal, tmp_path: Path) -> None:
    """Each sends what it finds, also what the other kept."""
    path = tmp_path / "events.db"
    away = EventClient("http://127.0.0.1:9", "shop", queue_path=path, first_pause_s=0.01, trust_env=False)
    sent = {away.send("s", "c", {}) for _ in range(5)}
    with client_of(portal, queue_path=path) as client:
        assert client.flush(20)
        sent |= {away.send("s", "c", {}) for _ in range(5)}
        sent |= {client.send("s", "c", {})}
        assert client.flush(20)
        sent |= {client.send("s", "c", {})}
        assert client.flush(20)
    assert set(portal.taken) == sent
    assert away.flush(20)
    assert away.close()


def test_a_shared_file_knows_what_is_left(tmp_path: Path) -> None:
    one, other = (EventQueue(tmp_path / "q.db", max_events=3) for _ in range(2))
    for _ in range(2):
        one.put(b"1")
    other.put(b"2")
    other.drop(other.first(2, 100))
    assert len(other) == 1 and other.first(9, 100)[0].event == b"2"
    one.put(b"3")
    one.put(b"4")  # its own count said that it was full
    one.drop(one.first(9, 100))
    assert other.first(9, 100) == [] and len(other) == 0
