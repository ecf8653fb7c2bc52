"""The analytics page of AppRTC: `POST /a/`, one event a request. Pure. Source: spec/apprtc-analytics.md."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from events.incoming import IncomingEvent
from ingest.json_bodies import read_json
from playhead.errors import InvalidBody

RECORDED: Final = {"result": "SUCCESS"}
REFUSED: Final = {"result": "INVALID_REQUEST"}

EVENT_TYPES: Final = {2: "ROOM_SIZE_2", 3: "ICE_CONNECTION_STATE_CONNECTED"}
CLIENT_TYPES: Final = {0: "UNKNOWN", 1: "JS", 2: "DESKTOP", 3: "IOS", 4: "ANDROID"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_event(body: bytes, *, host: str, now_ms: float) -> IncomingEvent | None:
    """The event of a request, None for one to refuse (section 5). `host`: the Host header; `now_ms`: our clock."""
    try:
        return _event(read_json(body), host, now_ms)
    except (InvalidBody, _Refused):
        return None


class _Refused(Exception):
    """A rule of section 5 is broken; the answer never says which."""


def _event(request: Any, host: str, now_ms: float) -> IncomingEvent:
    if not isinstance(request, dict) or request.get("type") != "event":
        raise _Refused
    event = request.get("event")
    if not isinstance(event, dict):
        raise _Refused
    request_ms = _number(request.get("request_time_ms"))
    device_ms = _number(event.get("event_time_ms"))
    name = _name(event.get("event_type"), EVENT_TYPES)
    if name is None:
        raise _Refused
    device_us = _micros(device_ms)
    at_us = _micros(device_ms + (now_ms - request_ms))
    data: dict[str, Any] = {"event_type": name}
    for member in ("room_id", "flow_id"):
        if event.get(member) is not None:
            data[member] = event[member]
    client = _name(request.get("client_type"), CLIENT_TYPES)
    if client is not None:
        data["client_type"] = client
    data |= {"client_timestamp": _iso(device_us), "timestamp": _iso(at_us), "host": host}
    return IncomingEvent(
        source="apprtc",
        category="apprtc",
        name=name,
        at_us=at_us,
        device_us=device_us,
        session_id=_session(event.get("room_id")),
        data=data,
    )


def _number(value: Any) -> float:
    """What Python's float() takes: numbers, truth values, numeric text (section 2)."""
    if isinstance(value, (int, float, str)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise _Refused from None
        if math.isfinite(number):
            return number
    raise _Refused


def _name(value: Any, names: dict[int, str]) -> str | None:
    """A type as it is stored: known numbers by name, others as decimal text, text as it is; None if not sent."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        number = int(value) if isinstance(value, bool) else value
        return names.get(int(number) if number == number // 1 else -1) or str(number)
    raise _Refused


def _micros(ms: float) -> int:
    """ms -> µs. Raises _Refused outside the years 1 to 9999."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms) - _EPOCH) // timedelta(microseconds=1)
    except (OverflowError, ValueError):
        raise _Refused from None


def _iso(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _session(room: Any) -> str | None:
    """The room as a session identifier."""
    return str(room) if isinstance(room, (str, int, float)) and room != "" else None
