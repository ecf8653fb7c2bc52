"""What every protocol's adapter makes of its requests: events on their way into the journal.

One record of kind `events` carries many; its body is `pack(events)`, its meta stays small. Every packing is unique:
equal events packed twice are two events, the same record processed twice is one.
"""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack
import orjson

from events.model import clamp_us
from playhead.errors import Malformed

#: kind of the journal's records that carry events
KIND: Final = "events"
#: data nested deeper is cut there
MAX_DEPTH: Final = 100
_VERSION: Final = 1
_INTEGERS: Final = range(-(2**63), 2**64)
_salts: Final = random.Random(
    secrets.randbits(128)
)  # a call of the system for each would be dearer than packing


@dataclass(slots=True, kw_only=True)  # not frozen: that made it five times as slow to make
class IncomingEvent:
    """One event as a sender told it. Times in µs since the epoch, UTC.

    `at_us` is when it happened by the best clock known (shown as `timestamp`), `device_us` what the device said;
    `event_id` is the sender's identifier: the same (project, source, event_id) is stored once. Without it, equal
    events are separate. `data_json`: `data` as JSON that can be stored, if that is known already. Source: docs of the
    protocols; interface: the table of sources.
    """

    source: str  # json, hamustro, segmentio, segment, apprtc
    category: str
    name: str
    at_us: int
    device_us: int
    session_id: str | None = None
    user_id: str = ""
    event_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    data_json: bytes = field(default=b"", compare=False, repr=False)


def pack(events: Iterable[IncomingEvent]) -> bytes:
    """The body of a journal record; `data` that JSON or Postgres could not hold is made so that they can."""
    rows = [
        (
            each.source, each.category, each.name, clamp_us(each.at_us), clamp_us(each.device_us),
            each.session_id, each.user_id, each.event_id, each.data_json or _json(each.data),
        )
        for each in events
    ]  # fmt: skip
    packed: bytes = msgpack.packb([_VERSION, _salts.randbytes(8), rows], unicode_errors="replace")
    return packed


def unpack(body: bytes) -> list[IncomingEvent]:
    """The inverse of `pack`. Raises Malformed."""
    try:
        version, _, rows = msgpack.unpackb(body)
        if version != _VERSION:
            raise Malformed(f"events of version {version}")
        return [
            IncomingEvent(
                source=source, category=category, name=name, at_us=at_us, device_us=device_us,
                session_id=session_id, user_id=user_id, event_id=event_id, data=orjson.loads(data),
            )
            for source, category, name, at_us, device_us, session_id, user_id, event_id, data in rows
        ]  # fmt: skip
    except (ValueError, TypeError, msgpack.UnpackException) as problem:
        raise Malformed(f"events: {type(problem).__name__}") from problem


def _json(data: dict[str, Any]) -> bytes:
    encoded = storable_json(data)
    return encoded if encoded is not None else orjson.dumps(storable(data))


def storable_json(data: dict[str, Any]) -> bytes | None:
    """`data` as JSON, unless something in it could not be stored as it is."""
    try:
        encoded = orjson.dumps(data)
    except (TypeError, RecursionError):
        return None
    perhaps_deep = encoded.count(b"{") + encoded.count(b"[") > MAX_DEPTH
    return None if perhaps_deep or b"\\u0000" in encoded else encoded


def storable(value: Any, depth: int = 0) -> Any:
    """A value that JSON and Postgres hold: no NUL or lone surrogate, no huge integer, finite, not too deep."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if value in _INTEGERS else _as_float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {clean_text(str(key)): storable(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(each, depth + 1) for each in value]
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """Text that UTF-8 and Postgres can hold: a NUL becomes U+FFFD, a lone surrogate a question mark."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
