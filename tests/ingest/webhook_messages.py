"""Messages of the original's webhook tests, and how the two behaviours take them."""

from __future__ import annotations

import json
from typing import Any

from ingest.segment_webhook import Answer, Hook, receive_first, receive_later
from projects.model import SegmentOptions

SECRET = "anything"
OPTIONS = SegmentOptions(
    webhook_secret=SECRET,
    disallowed_names=(".bi.",),
    sources={"test-app": "mobile"},
    allowed_types=("track",),
)
LIBRARY = {"library": {"name": "test-app", "version": "unknown"}}
GONE = Ellipsis


async def user_name(user_id: int) -> str | None:
    return {10: "alice"}.get(user_id)


def message(**changes: Any) -> dict[str, Any]:
    """The fixture of the original's tests; `properties__x` changes a member of the properties."""
    found: dict[str, Any] = {
        "userId": 10,
        "action": "Track",
        "timestamp": "2014-08-27T16:33:39.215Z",
        "receivedAt": "2014-08-27T16:33:39.100Z",
        "channel": "mobile",
        "context": dict(LIBRARY),
        "properties": {
            "event_type": "str",
            "event_source": "mobile",
            "event": {"foo": "bar"},
            "context": {"course_id": "foo/bar/baz"},
        },
    }
    return changed(found, changes)


def later(**changes: Any) -> dict[str, Any]:
    """The fixture of the later tests."""
    found: dict[str, Any] = {
        "userId": 10,
        "event": "Did something",
        "properties": {
            "name": "edx.done",
            "data": {"foo": "bar"},
            "context": {
                "course_id": "foo/bar/baz",
                "app_name": "edx.mobile.android",
            },
        },
        "channel": "server",
        "context": {
            "library": {"name": "test-app", "version": "unknown"},
            "app": {"version": "1.0.1"},
            "userAgent": "agent",
        },
        "receivedAt": "2014-08-27T16:33:39.100Z",
        "timestamp": "2014-08-27T16:33:39.215Z",
        "type": "track",
    }
    return changed(found, changes)


def changed(found: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        *places, key = name.split("__")
        target = found
        for place in places:
            target = target[place]
        if value is GONE:
            del target[key]
        else:
            target[key] = value
    return found


def hook(body: Any, key: str = SECRET, content_type: str = "application/json; charset=utf-8") -> Hook:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Hook(data, content_type, key, "/segmentio/event", "edx.example")


async def first(body: Any, options: SegmentOptions = OPTIONS, **more: Any) -> Answer:
    return await receive_first(hook(body, **more), options=options, user_name=user_name)


async def second(body: Any, options: SegmentOptions = OPTIONS, **more: Any) -> Answer:
    return await receive_later(hook(body, **more), options=options, user_name=user_name)


async def refused(body: Any, **more: Any) -> tuple[int, str]:
    """(status, message) of a refusal by the first behaviour."""
    answer = await first(body, **more)
    assert answer.event is None and answer.body is not None
    assert answer.body.keys() == {"committed", "message"} and answer.body["committed"] is False
    return answer.status, answer.body["message"]


async def recorded(body: Any, **more: Any) -> dict[str, Any]:
    answer = await first(body, **more)
    assert (answer.status, answer.body) == (200, {"committed": True}), answer
    assert answer.event is not None
    return answer.event.data


async def recorded_later(body: Any, **more: Any) -> dict[str, Any]:
    answer = await second(body, **more)
    assert (answer.status, answer.body) == (200, None)
    assert answer.event is not None, answer.reason
    return answer.event.data
