"""Segment's webhook as edX took it: the first behaviour and the later one. Source: spec/segment-webhook.md 1, 2.

The only thing asked is who a user is: `user_name`, handed in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import xxhash

from events.incoming import IncomingEvent
from ingest.course_keys import organisation
from ingest.edx_video import as_from_the_web
from ingest.iso_times import micros, parse_time
from ingest.json_bodies import read_json
from playhead.errors import InvalidBody
from projects.model import SegmentOptions

#: a user's id -> the user's name, None if the project knows no such user
UserName = Callable[[int], Awaitable[str | None]]

BAD_JSON: Final = {"error": "Invalid JSON"}
FORUM_LABEL: Final = "Forum: View Thread"
FORUM_NAME: Final = "edx.bi.app.navigation.screen"
_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]{1,20}\s*", re.A)
_MOST: Final = 2**63 - 1
_PROMOTED: Final = ("username", "session", "ip", "agent", "host", "referer", "accept_language")
_REMOVED: Final = (*_PROMOTED, "client_id")


@dataclass(frozen=True, slots=True)
class Hook:
    """One POST: `key` the last of the query, `path` as requested, `host` our name without a port."""

    body: bytes
    content_type: str = ""
    key: str = ""
    path: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body (None: empty), the event to keep, and why there is none (for the log)."""

    status: int
    body: dict[str, Any] | None = None
    event: IncomingEvent | None = None
    reason: str = ""


class _Refused(Exception):
    """Nothing is recorded; the text says why."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


async def receive_first(hook: Hook, *, options: SegmentOptions, user_name: UserName) -> Answer:
    """The first behaviour, `/segmentio/event`: every refusal says its reason (section 1.2)."""
    try:
        message = _message(hook)
        if not _authorised(hook, options):
            raise _Refused("Unauthorized", 401)
        event = await _first_event(hook, message, options, user_name)
    except InvalidBody:
        return Answer(400, BAD_JSON, reason="Invalid JSON")
    except _Refused as refusal:
        text = str(refusal)
        return Answer(refusal.status, {"committed": False, "message": text}, reason=text)
    return Answer(200, {"committed": True}, event)


async def receive_later(hook: Hook, *, options: SegmentOptions, user_name: UserName) -> Answer:
    """The later behaviour, `/segmentio/v2/event`: who holds a leaked secret learns nothing (section 2.1)."""
    try:
        message = _message(hook)
        if not _authorised(hook, options):
            return Answer(401, reason="Unauthorized")
        return Answer(200, event=await _later_event(hook, message, options, user_name))
    except InvalidBody:
        return Answer(400, BAD_JSON, reason="Invalid JSON")
    except _Refused as refusal:
        return Answer(200, reason=str(refusal))


def _message(hook: Hook) -> dict[str, Any]:
    """The message; an empty one for an empty body or another content type. Raises InvalidBody."""
    if "application/json" not in hook.content_type.lower() or not hook.body:
        return {}
    message = read_json(hook.body)
    if not isinstance(message, dict):
        raise InvalidBody("the body is not a JSON object")
    return message


def _authorised(hook: Hook, options: SegmentOptions) -> bool:
    digests = (
        hashlib.sha256(text.encode("utf-8", "replace")).digest()
        for text in (hook.key, options.webhook_secret)
    )
    return bool(options.webhook_secret) and hmac.compare_digest(*digests)


# -- part 1


async def _first_event(
    hook: Hook, message: Mapping[str, Any], options: SegmentOptions, user_name: UserName
) -> IncomingEvent:
    properties = _dict(message.get("properties"))
    source = properties.get("event_source")
    if not _listed(source, options.allowed_channels):
        raise _Refused("Channel ignored", 200)
    if not _listed(message.get("action"), options.allowed_actions):
        raise _Refused("Action ignored", 200)
    user_id, username = await _user(message, options, user_name)
    at, received = _times(message)
    if "event_type" not in properties:
        raise _Refused("The event_type field must be specified in the properties dictionary")
    client = _dict(message.get("context"))
    context = _request_context(hook)
    if client:
        context["client"] = client
    context |= _dict(properties.get("context"))
    _add_known(context, user_id, received)
    host = context.get("host", "")
    for name in _REMOVED:
        context.pop(name, None)
    data = {
        "username": username,
        "event_type": properties["event_type"],
        "name": properties.get("name", ""),
        "event_source": source,
        "time": at.isoformat(),
        "context": context,
        "page": properties.get("page"),
        "host": host,
        "agent": client.get("userAgent", ""),
        "ip": properties.get("ip", ""),
        "event": properties.get("event", {}),
    }
    return _incoming(hook, message, data, user_id, at)


# -- part 2


async def _later_event(
    hook: Hook, message: Mapping[str, Any], options: SegmentOptions, user_name: UserName
) -> IncomingEvent:
    sent = _dict(message.get("context"))
    library = _dict(sent.get("library")).get("name")
    source = options.sources.get(library) if isinstance(library, str) else None
    if source is None:
        raise _Refused("unknown library")
    if not _listed(message.get("type"), options.allowed_types):
        raise _Refused("type not allowed")
    properties = _dict(message.get("properties"))
    name = _later_name(properties)
    if any(part.lower() in name.lower() for part in options.disallowed_names if part):
        raise _Refused("name not allowed")
    if "data" not in properties:
        raise _Refused("The data field must be specified in the properties dictionary")
    context = _later_context(hook, sent, _dict(properties.get("context")))
    user_id, username = await _user(message, options, user_name)
    at, received = _times(message, dates=True)
    context["username"] = username
    _add_known(context, user_id, received)
    context["ip"] = _dict(properties.get("context")).get("ip") or ""
    context |= {member: properties[member] for member in ("label", "course_id") if member in properties}
    data = {
        "name": name,
        "event_type": name,
        "event_source": source,
        "event": properties["data"],
        "time": at.isoformat(),
        "page": context.pop("page", None),
    }
    data |= {member: context.pop(member, "") for member in _PROMOTED}
    context.pop("client_id", None)
    data["context"] = context
    as_from_the_web(data)
    return _incoming(hook, message, data, user_id, at)


def _later_name(properties: Mapping[str, Any]) -> str:
    name = properties.get("name")
    if name is None and properties.get("label") == FORUM_LABEL:
        return FORUM_NAME
    if not isinstance(name, str):
        raise _Refused("The name field must be specified in the properties dictionary")
    return name


def _later_context(hook: Hook, sent: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The request's context, the client, the application, and what the properties lay over them."""
    context = _request_context(hook)
    withheld = ("traits", "integrations", "userAgent")
    context["client"] = {name: value for name, value in sent.items() if name not in withheld}
    context["agent"] = sent.get("userAgent", "")
    if "application" not in overlay:
        version = _dict(sent.get("app")).get("version")
        context["application"] = {"name": overlay.get("app_name") or "", "version": version or ""}
    return context | {name: value for name, value in overlay.items() if name != "app_name"}


# -- both


def _request_context(hook: Hook) -> dict[str, Any]:
    return {"path": hook.path, "host": hook.host}


def _add_known(context: dict[str, Any], user_id: int, received: datetime) -> None:
    """What the server knows better than the message (1.3, steps 4 to 6)."""
    context["user_id"] = user_id
    if org := organisation(context.get("course_id")):
        context["org_id"] = org
    context["received_at"] = received.isoformat()


async def _user(message: Mapping[str, Any], options: SegmentOptions, user_name: UserName) -> tuple[int, str]:
    """(id, name) of the message's user."""
    sent = message.get("userId")
    if not sent:
        raise _Refused("Required user_id missing from context")
    user_id = _integer(sent)
    name = await user_name(user_id) if 0 < user_id <= _MOST else None
    if name is None and not (options.accept_any_user and 0 < user_id <= _MOST):
        raise _Refused("Specified user does not exist")
    return user_id, name or ""


def _integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, str) and value.strip().isdecimal() and value.isascii():
        return _MOST + 1  # of any length: beyond every range
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _Refused("Unable to parse userId as an integer")


def _times(message: Mapping[str, Any], *, dates: bool = False) -> tuple[datetime, datetime]:
    """(timestamp, receivedAt) of the message; `dates`: one without a time will do."""
    at = parse_time(message.get("timestamp"), dates=dates)
    received = parse_time(message.get("receivedAt"), dates=dates)
    if at is None:
        raise _Refused("Required timestamp field not found")
    if received is None:
        raise _Refused("Required receivedAt field not found")
    return at, received


def _incoming(
    hook: Hook, message: Mapping[str, Any], data: dict[str, Any], user_id: int, at: datetime
) -> IncomingEvent:
    """The recorded event; Segment's retries are byte for byte what they repeat, so they are stored once."""
    message_id = message.get("messageId")
    event_id = ""
    if isinstance(message_id, str) and message_id:
        data["messageId"] = message_id
        event_id = f"{message_id[:100]}-{xxhash.xxh3_64_hexdigest(hook.body)}"
    name = data["event_type"]
    return IncomingEvent(
        source="segmentio",
        category="segmentio",
        name=name if isinstance(name, str) else "" if name is None else str(name),
        at_us=micros(at),
        device_us=micros(at),
        user_id=str(user_id),
        event_id=event_id,
        data=data,
    )


def _listed(value: Any, listed: tuple[str, ...]) -> bool:
    return isinstance(value, str) and bool(value) and value.lower() in {each.lower() for each in listed}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
