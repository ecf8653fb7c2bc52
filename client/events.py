"""The client of the event service: send and forget, or send and see; read back. Source: spec/event-service.md 8.

    with EventClient("http://127.0.0.1:8080", project_key="shop", name="Shop") as client:
        client.send("session-1", "purchase", {"price": 5})

Events wait in a queue (in memory, or in a file: `queue_path`) and go out in batches from a thread, each always under
the same id, so that resending never doubles one.
"""

from __future__ import annotations

import atexit
import json
import logging
import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from client.event_calls import EventCalls, EventServiceError, Later, Pauses, refusals_of
from client.event_queue import EventQueue, QueueFull, Waiting

__all__ = ["EventClient", "EventServiceError", "QueueFull"]

MAX_CHARS: Final = 128
MAX_EVENT_BYTES: Final = 1_000_000
BATCH_BYTES: Final = 500_000
IDLE_S: Final = 60.0

Answer = TypeVar("Answer")
OnError = Callable[[dict[str, Any], EventServiceError], None]

_log = logging.getLogger(__name__)


class EventClient:
    """Thread-safe. `on_error(event, error)` hears of events that will never be taken, from the sending thread."""

    def __init__(
        self,
        base_url: str,
        project_key: str | None = None,
        api_key: str | None = None,
        name: str = "AppName",
        *,
        queue_path: str | Path | None = None,
        on_error: OnError | None = None,
        batch_size: int = 200,
        max_queued: int = 100_000,
        timeout_s: float = 10,
        first_pause_s: float = 0.5,
        last_pause_s: float = 60,
        attempts: int = 5,
        trust_env: bool = True,
    ) -> None:
        """`attempts`: tries of the calls that answer; what is queued is tried until it is taken or refused."""
        self._name = name
        self._calls = EventCalls(base_url, project_key, api_key, timeout_s=timeout_s, trust_env=trust_env)
        self._queue = EventQueue(Path(queue_path) if queue_path else None, max_events=max_queued)
        self._on_error = on_error
        self._batch_size = self._next_size = max(1, min(batch_size, 1000))
        self._first_pause_s, self._last_pause_s = first_pause_s, last_pause_s
        self._attempts = attempts
        self._changed = threading.Condition()
        self._closing = self._closed = False
        self._thread = threading.Thread(target=self._run, name="event-client", daemon=True)
        self._thread.start()
        atexit.register(_close, weakref.ref(self))

    # -- sending

    def send(
        self,
        session_id: str,
        category: str,
        data: dict[str, Any],
        name: str | None = None,
        timestamp: datetime | str | None = None,
        id: str | None = None,
    ) -> str:
        """Queue one event -> its id, at once. Raises ValueError for what no event can be, QueueFull."""
        event = self._filled(
            {
                "session_id": session_id,
                "category": category,
                "data": data,
                "name": name,
                "timestamp": timestamp,
                "id": id,
            }
        )
        encoded = _encoded(event)
        with self._changed:
            if self._closing:
                raise ValueError("the client is closed")
            self._queue.put(encoded)
            self._changed.notify_all()
        event_id: str = event["id"]
        return event_id

    def send_now(self, event: dict[str, Any] | list[dict[str, Any]]) -> dict[str, Any]:
        """Send -> the service's answer (for a list also when some or all were refused).

        Members `name`, `timestamp` and `id` are filled in. Raises EventServiceError with status, code and details.
        """
        several = isinstance(event, list)
        filled = [self._filled(each) for each in (event if isinstance(event, list) else [event])]
        body = json.dumps(filled if several else filled[0], ensure_ascii=False, allow_nan=False).encode()
        answer: dict[str, Any] = self._retried(lambda: self._calls.send(body)[1])
        return answer

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything queued so far was taken or refused -> whether it was, within `timeout` s."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            if self._closed:
                return not len(self._queue)
            last = self._queue.last()
            self._changed.notify_all()
            while self._queue.waits_up_to(last):
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or not self._thread.is_alive():
                    return False
                self._changed.wait(1.0 if left is None else min(left, 1.0))
        return True

    def close(self, timeout: float = 10) -> bool:
        """Send what is queued, then stop -> whether all went out. With a queue file the rest goes next time."""
        with self._changed:
            if self._closed:
                return True
        done = self.flush(timeout)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(max(1.0, timeout))
        with self._changed:
            if self._end():  # by another thread meanwhile
                return done
        if not self._queue.persistent and len(self._queue):
            _log.warning("%d events were not sent", len(self._queue))
        if not self._thread.is_alive():
            self._queue.close()
            self._calls.close()
        return done

    def __enter__(self) -> EventClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading

    def events(
        self,
        session_id: str | None = None,
        category: str | None = None,
        name: str | None = None,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        order: str = "asc",
        **more: str,
    ) -> Iterator[dict[str, Any]]:
        """All events that match, over all pages; `more`: `source`, `user_id`, `data.PATH` …"""
        filters = {
            "session_id": session_id, "category": category, "name": name, "start": _time(start), "end": _time(end),
            "order": order, "limit": 1000, **more,
        }  # fmt: skip
        return self._calls.pages("/api/v1/events", "events", filters, self._retried)

    def sessions(
        self,
        category: str | None = None,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        **more: str,
    ) -> Iterator[dict[str, Any]]:
        """All sessions of which an event matches."""
        filters = {"category": category, "start": _time(start), "end": _time(end), "limit": 1000, **more}
        return self._calls.pages("/api/v1/sessions", "sessions", filters, self._retried)

    def session(self, session_id: str, **filters: Any) -> Iterator[dict[str, Any]]:
        """All events of one session. Raises EventServiceError (404) when there are none."""
        path = f"/api/v1/sessions/{quote(session_id, safe='')}/events"
        return self._calls.pages(path, "events", {"limit": 1000, **filters}, self._retried)

    def errors(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """All refused events, newest first."""
        return self._calls.pages("/api/v1/errors", "errors", {"limit": 1000, **filters}, self._retried)

    def put_schema(self, category: str, schema: dict[str, Any] | bool) -> dict[str, Any]:
        """Set what `data` of a category must look like."""
        path = f"/api/v1/schemas/{quote(category, safe='')}"
        answer: dict[str, Any] = self._retried(lambda: self._calls.read("PUT", path, json=schema))
        return answer

    # -- within

    def _end(self) -> bool:
        """Mark the client as closed -> whether it was already."""
        was_closed, self._closed = self._closed, True
        return was_closed

    def _filled(self, event: dict[str, Any]) -> dict[str, Any]:
        filled = dict(event)
        filled["name"] = self._name if filled.get("name") is None else filled["name"]
        filled["timestamp"] = _time(filled.get("timestamp") or datetime.now(UTC))
        filled["id"] = filled["id"] if filled.get("id") is not None else str(uuid.uuid4())
        return filled

    def _retried(self, ask: Callable[[], Answer]) -> Answer:
        pauses = Pauses(self._first_pause_s, self._last_pause_s)
        for attempt in range(1, self._attempts + 1):
            try:
                return ask()
            except Later as problem:
                if attempt == self._attempts:
                    raise
                time.sleep(pauses.after(problem))
        raise AssertionError("no attempts")

    def _run(self) -> None:
        """The sending thread: batch by batch, until closed."""
        pauses = Pauses(self._first_pause_s, self._last_pause_s)
        while True:
            with self._changed:
                while not self._closing and not len(self._queue):
                    self._changed.wait(IDLE_S)
                if self._closing:
                    return
            try:
                if batch := self._queue.first(self._next_size, BATCH_BYTES):
                    self._deliver(batch)
                pauses.reset()
            except Later as problem:
                self._rest(pauses.after(problem))
            except sqlite3.Error as problem:  # its file: a full disk, another process in the way
                _log.warning("the queue file cannot be used: %s", problem)
                self._rest(self._last_pause_s)

    def _rest(self, pause_s: float) -> None:
        """Wait; closing ends it."""
        deadline = time.monotonic() + pause_s
        with self._changed:
            while not self._closing and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _deliver(self, batch: list[Waiting]) -> None:
        """Send one batch and drop it from the queue. Raises Later: nothing is known of it, so it stays."""
        try:
            _, answer = self._calls.send(b"[" + b",".join(each.event for each in batch) + b"]")
        except Later:
            raise
        except EventServiceError as problem:
            if problem.status in (400, 413) and len(batch) > 1:  # too large, or one of them spoils the rest
                self._next_size = max(1, len(batch) // 2)
                return
            refused = [(each, problem) for each in batch]
        else:
            self._next_size = self._batch_size
            refused = [
                (each, refusal)
                for each, refusal in zip(batch, refusals_of(answer, len(batch)), strict=True)
                if refusal is not None
            ]
        for each, refusal in refused:
            self._tell(each, refusal)
        with self._changed:
            self._queue.drop(batch)
            self._changed.notify_all()

    def _tell(self, waiting: Waiting, problem: EventServiceError) -> None:
        if self._on_error is None:
            _log.warning("event refused: %s", problem)
            return
        try:
            self._on_error(json.loads(waiting.event), problem)
        except Exception:
            _log.exception("on_error failed")


def _encoded(event: dict[str, Any]) -> bytes:
    """JSON. Raises ValueError for what the service would refuse whatever its schemas."""
    for name in ("session_id", "category", "name", "id"):
        value = event[name]
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_CHARS or "\0" in value:
            raise ValueError(f"{name}: text of 1 to {MAX_CHARS} characters is needed")
    if not isinstance(event["data"], dict):
        raise ValueError("data: a dict is needed")
    try:
        encoded = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, RecursionError) as problem:
        raise ValueError(f"data: not JSON: {problem}") from None
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"an event holds at most {MAX_EVENT_BYTES} bytes")
    return encoded


def _time(at: datetime | str | None) -> str | None:
    """A datetime without a zone is UTC."""
    if at is None or isinstance(at, str):
        return at
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _close(client: weakref.ref[EventClient]) -> None:
    found = client()
    if found is not None:
        found.close()
