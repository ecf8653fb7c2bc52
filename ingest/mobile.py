"""`/start` of the mobile SDKs: what the body says, who is let in, what the start record carries. Pure.

Source: spec/openreplay-mobile.md 1.2 (README generation, `legacy` here) and 1.4 (today's).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from ingest.devices import apple_name, apple_type
from ingest.geo import Place
from playhead.errors import Forbidden, InvalidBody, UpgradeRequired
from sessions.model import MAX_MS, SessionStart, clean_json, clean_text

MAX_INFO_BYTES: Final = 16_384  # performances and unknown fields kept of one start
MAX_PLATFORM: Final = 32
_INT4: Final = 2**31 - 1
_INT8: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StartBody:
    """A start request, cleaned; `info` holds performances and every field unknown to us."""

    project_key: str | None
    encoded_project_id: int | float | str | None = None
    token: str = ""
    platform: str = "ios"
    tracker_version: str = ""
    revision: str = ""
    user_uuid: str = ""
    device: str = ""
    device_type: str = ""
    os_version: str = ""
    timezone: str = ""
    condition: str = ""
    timestamp_ms: int = 0
    memory_kb: int = 0
    width: int = 0
    height: int = 0
    do_not_record: bool = False
    legacy: bool = False
    info: dict[str, Any] = field(default_factory=dict)


def parse_start(body: bytes, *, legacy: bool = False) -> StartBody:
    """The request's JSON -> StartBody. Raises InvalidBody: empty, not a JSON object, a field of the wrong type."""
    values = _object(body)
    known: dict[str, Any] = {}
    for name, (target, read) in _FIELDS.items():
        value = values.pop(name, None)
        if value is not None:
            known[target] = read(value, name)
    kind = values.pop("userDeviceType", None)
    if legacy and isinstance(kind, (int, float)):
        values["userDeviceType"] = kind  # a number in the README; the type comes from the device's name
    elif kind is not None:
        known["device_type"] = _text(kind, "userDeviceType")
    encoded = values.pop("projectID", None)
    if legacy and encoded is not None:
        if isinstance(encoded, bool) or not isinstance(encoded, (int, float, str)):
            raise InvalidBody("projectID must be a number or text")
        known["encoded_project_id"] = encoded
    elif encoded is not None:
        values["projectID"] = encoded
    known.setdefault("project_key", None)
    known["platform"] = clean_text(known.get("platform", ""), MAX_PLATFORM).strip().lower() or "ios"
    return StartBody(**known, legacy=legacy, info=_bounded(values))


def require_version(tracker_version: str, least: str) -> None:
    """Raises UpgradeRequired unless the text before the first "-" is a version of at least `least`."""
    sent, needed = _version(tracker_version), _version(least)
    if sent is None or (needed is not None and sent < needed):
        raise UpgradeRequired(f"tracker version {least} or newer is needed")


def require_agent(user_agent: str) -> None:
    """Raises Forbidden for no User-Agent or a known crawler's; an app whose name ends in "bot" is none."""
    if not user_agent.strip():
        raise Forbidden("browser not recognized", code="agent_refused")
    if _CRAWLER.search(user_agent) and not _APP_AGENT.search(user_agent):
        raise Forbidden("browser not recognized", code="agent_refused")


def user_uuid_for(sent: str) -> str:
    """The user's UUID as sent if it is one, else a new one."""
    return sent if _UUID.fullmatch(sent) else str(uuid.uuid4())


def sampling_key(start: StartBody) -> str:
    """What stays the same when one phone asks again."""
    return start.user_uuid if _UUID.fullmatch(start.user_uuid) else f"{start.device}\0{start.timestamp_ms}"


def session_start(start: StartBody, user_uuid: str, place: Place) -> SessionStart:
    """What the start record carries. Enums are normalised, so that no row can fail on them."""
    apple = start.platform == "ios"
    kind = start.device_type.lower()
    kind = kind if kind in _DEVICE_TYPES else "other"
    return SessionStart(
        platform=start.platform,
        user_uuid=user_uuid,
        device_model=start.device,
        device_name=apple_name(start.device) if apple else start.device,
        device_type=apple_type(start.device) if apple else kind,
        os="IOS" if apple else "Android",
        os_version=start.os_version,
        memory_kb=start.memory_kb,
        width=start.width,
        height=start.height,
        tracker_version=start.tracker_version,
        revision=start.revision,
        timezone=start.timezone,
        country=place.country,
        state=place.state,
        city=place.city,
        device_start_ms=start.timestamp_ms,
        legacy=start.legacy,
        info=start.info,
    )


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object; what is lax in Go's reader too (lone surrogates, broken UTF-8) is made clean text."""
    if not body:
        raise InvalidBody("the body is empty", code="invalid_json")
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            values = json.loads(body.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise InvalidBody("the body is not JSON", code="invalid_json") from None
    if not isinstance(values, dict):
        raise InvalidBody("the body is not a JSON object")
    return values


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidBody(f"{name} must be text")
    return clean_text(value)


def _token(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidBody(f"{name} must be text")
    return value


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidBody(f"{name} must be true or false")
    return value


def _number(most: int) -> Callable[[object, str], int]:
    """Reads any JSON number, or one as text, clamped to 0..most; NaN is 0."""

    def read(value: object, name: str) -> int:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidBody(f"{name} must be a number")
        if value != value:  # NaN; a whole number of any length is compared as it is
            return 0
        return int(max(0, min(value, most)))

    return read


def _bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The first members of `values` that fit MAX_INFO_BYTES as JSON; `"cut": true` if some did not."""
    kept: dict[str, Any] = {}
    left = MAX_INFO_BYTES
    for name, value in clean_json(values).items():
        left -= len(orjson.dumps({name: value}))
        if left < 0:
            kept["cut"] = True
            break
        kept[name] = value
    return kept


def _version(text: str) -> tuple[int, ...] | None:
    found = _VERSION.fullmatch(text.partition("-")[0].strip())
    return tuple(int(part or 0) for part in found.groups()) if found else None


_FIELDS: Final[dict[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "projectKey": ("project_key", _text),
    "token": ("token", _token),
    "platform": ("platform", _text),
    "trackerVersion": ("tracker_version", _text),
    "revID": ("revision", _text),
    "userUUID": ("user_uuid", _text),
    "userDevice": ("device", _text),
    "userOSVersion": ("os_version", _text),
    "timezone": ("timezone", _text),
    "condition": ("condition", _text),
    "timestamp": ("timestamp_ms", _number(MAX_MS)),
    "deviceMemory": ("memory_kb", _number(_INT8)),
    "width": ("width", _number(_INT4)),
    "height": ("height", _number(_INT4)),
    "doNotRecord": ("do_not_record", _flag),
}
_VERSION: Final = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[.+].*)?", re.A)
_DEVICE_TYPES: Final = {"desktop", "mobile", "tablet"}
#: as RFC 9562 writes them, and the other forms that parsers of UUIDs take
_PLAIN_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID: Final = re.compile(
    rf"{_PLAIN_UUID}|urn:uuid:{_PLAIN_UUID}|\{{{_PLAIN_UUID}\}}|[0-9a-f]{{32}}", re.I | re.A
)
_APP_AGENT: Final = re.compile(r"CFNetwork/|Dalvik/|okhttp/", re.I)
_CRAWLER: Final = re.compile(
    r"\b(googlebot|google-inspectiontool|adsbot|mediapartners-google|bingbot|bingpreview|msnbot|slurp|duckduckbot"
    r"|baiduspider|yandex(bot|images|mobilebot)?|sogou|exabot|facebookexternalhit|facebot|ia_archiver|applebot"
    r"|twitterbot|linkedinbot|pinterestbot|telegrambot|discordbot|slackbot|whatsapp|ahrefsbot|semrushbot|mj12bot"
    r"|dotbot|petalbot|bytespider|gptbot|claudebot|ccbot|amazonbot|seznambot|uptimerobot|pingdom|spider|crawler"
    r"|headlesschrome)\b",
    re.I,
)
