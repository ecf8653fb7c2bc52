"""Every row and case of spec/apprtc-analytics.md."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events import IncomingEvent
from ingest.apprtc import read_event

FULL: dict[str, Any] = {
    "type": "event",
    "request_time_ms": 10000.0,
    "client_type": 4,
    "event": {"event_type": 3, "event_time_ms": 8000.0, "room_id": "foo", "flow_id": 1337},
}
GONE = Ellipsis


def changed(**members: Any) -> dict[str, Any]:
    """FULL with members set or taken away; `event__x` is a member of the event."""
    request = {**FULL, "event": dict(FULL["event"])}
    for name, value in members.items():
        place = request["event"] if name.startswith("event__") else request
        key = name.removeprefix("event__")
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return request


def read(request: Any, now_ms: float = 11000) -> IncomingEvent | None:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return read_event(body, host="rtc.example:8080", now_ms=now_ms)


def kept(request: Any, now_ms: float = 11000) -> IncomingEvent:
    event = read(request, now_ms)
    assert event is not None
    return event


def test_all_fields() -> None:
    event = kept(FULL)
    assert (event.source, event.category, event.name) == (
        "apprtc",
        "apprtc",
        "ICE_CONNECTION_STATE_CONNECTED",
    )
    assert (event.at_us, event.device_us, event.session_id) == (9_000_000, 8_000_000, "foo")
    assert event.data == {
        "event_type": "ICE_CONNECTION_STATE_CONNECTED",
        "room_id": "foo",
        "flow_id": 1337,
        "client_type": "ANDROID",
        "client_timestamp": "1970-01-01T00:00:08Z",
        "timestamp": "1970-01-01T00:00:09Z",
        "host": "rtc.example:8080",
    }


@pytest.mark.parametrize("value", [GONE, None])
def test_optional_fields_are_left_out(value: Any) -> None:
    event = kept(changed(event__room_id=value, event__flow_id=value, client_type=value))
    assert event.session_id is None
    assert event.data.keys() == {"event_type", "client_timestamp", "timestamp", "host"}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xef\xbb\xbf{}", b"[]", b"5", b'"event"', b"null", b"NaN", b"[" * 100_000],
    ids=lambda body: repr(body[:8]),
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "members",
    [
        {"type": GONE},
        {"type": None},
        {"type": "crazy_brains"},
        {"type": "Event"},
        {"type": 1},
        {"request_time_ms": GONE},
        {"request_time_ms": None},
        {"request_time_ms": "soon"},
        {"request_time_ms": ""},
        {"request_time_ms": []},
        {"request_time_ms": {}},
        {"request_time_ms": "nan"},
        {"request_time_ms": "-inf"},
        {"event": GONE},
        {"event": None},
        {"event": {}},
        {"event": []},
        {"event": 5},
        {"event": "x"},
        {"event": True},
        {"event": False},
        {"event__event_type": GONE},
        {"event__event_type": None},
        {"event__event_type": []},
        {"event__event_type": {}},
        {"client_type": []},
        {"client_type": {}},
        {"event__event_time_ms": GONE},
        {"event__event_time_ms": None},
        {"event__event_time_ms": ""},
        {"event__event_time_ms": "x"},
        {"event__event_time_ms": []},
        {"event__event_time_ms": {}},
        {"event__event_time_ms": "infinity"},
        {"event__event_time_ms": 1e15},
        {"event__event_time_ms": -1e15},
        {"event__event_time_ms": 10**400},
        {"event__event_time_ms": 1e300},
    ],
    ids=repr,
)
def test_refused(members: dict[str, Any]) -> None:
    assert read(changed(**members)) is None


def test_not_a_number_is_refused() -> None:
    assert read(json.dumps(changed(request_time_ms=float("nan"))).encode()) is None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (2, "ROOM_SIZE_2"),
        (3, "ICE_CONNECTION_STATE_CONNECTED"),
        (3.0, "ICE_CONNECTION_STATE_CONNECTED"),
        (-1, "-1"),
        (0, "0"),
        (4, "4"),
        ("", ""),
        ("an_event_with_everything", "an_event_with_everything"),
        ("2", "2"),
        ("größe", "größe"),
    ],
)
def test_event_types(sent: Any, stored: str) -> None:
    event = kept(changed(event__event_type=sent))
    assert (event.name, event.data["event_type"]) == (stored, stored)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(0, "UNKNOWN"), (1, "JS"), (2, "DESKTOP"), (3, "IOS"), (4, "ANDROID"), (9, "9"), ("IOS", "IOS")],
)
def test_client_types(sent: Any, stored: str) -> None:
    assert kept(changed(client_type=sent)).data["client_type"] == stored


def test_the_client_type_stands_at_the_top_only() -> None:
    assert "client_type" not in kept(changed(client_type=GONE, event__client_type=4)).data


@pytest.mark.parametrize(
    ("sent", "ms"),
    [(0, 0), (8000, 8000), ("10000", 10000), (" 8000.5 ", 8000.5), (True, 1), (False, 0), (-5, -5)],
)
def test_numbers_as_float_takes_them(sent: Any, ms: float) -> None:
    event = kept(changed(event__event_time_ms=sent, request_time_ms=sent), now_ms=20_000)
    assert (event.device_us, event.at_us) == (ms * 1000, 20_000_000)


def test_a_clock_in_1970_is_corrected() -> None:
    event = kept(changed(request_time_ms=5000, event__event_time_ms=4000), now_ms=1_790_000_000_000)
    assert (event.at_us, event.device_us) == (1_789_999_999_000_000, 4_000_000)


def test_unknown_members_are_ignored() -> None:
    assert kept(changed(colour=1, event__colour=2)) == kept(FULL)


def test_a_flow_or_room_of_any_kind_is_kept_as_sent() -> None:
    event = kept(changed(event__room_id=7, event__flow_id="x"))
    assert (event.session_id, event.data["room_id"], event.data["flow_id"]) == ("7", 7, "x")
