"""Segment's tracking API and its webhook destination, pure. Source: spec/segment-webhook.md 3.

`parse` finds the write key and the messages, `judge` makes events of them once the project is known.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from events.incoming import IncomingEvent, storable
from ingest.iso_times import micros, moment_of, parse_time
from ingest.json_bodies import first_item, read_json
from messages import sniff_unpack
from playhead.errors import InvalidBody, Malformed, TooMuch
from projects.model import SegmentOptions

Kind = Literal["track", "identify", "page", "screen", "group", "alias", "batch"]

TYPES: Final = ("track", "identify", "page", "screen", "group", "alias")
MAX_ITEM_BYTES: Final = 32 * 1024
MAX_BATCH_BYTES: Final = 500 * 1024
MAX_ITEMS: Final = 2500
MAX_WEBHOOK_ITEMS: Final = 4000
MAX_WEBHOOK_BYTES: Final = 8_000_000  # unpacked
#: of what a batch says for all its messages, once it is written to each
MAX_SPREAD_BYTES: Final = 8_000_000
_MAX_ID: Final = 128
_SHARED: Final = ("context", "integrations")

ACCEPTED: Final = {"success": True}


class Refusal(Exception):
    """The request is refused: `code` and text as section 3.4 words them."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status

    def body(self) -> dict[str, str]:
        """The answer's JSON."""
        return {"code": self.code, "message": str(self)}


@dataclass(frozen=True, slots=True)
class Request:
    """A readable request: its messages, and the write key of its body (empty if none)."""

    items: tuple[Any, ...]
    single: bool
    write_key: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the messages: events to keep, refusals by index, users to erase."""

    events: tuple[IncomingEvent, ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()
    deletions: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        if not self.rejected:
            return ACCEPTED
        return {
            "success": True,
            "rejected": [{"index": index, "code": code} for index, code in self.rejected],
        }


# -- tracking API


def key_of_header(authorization: str) -> str:
    """The write key of `Authorization: Basic base64(key:)`; empty if there is none. The colon may be missing."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def parse(kind: Kind, body: bytes) -> Request:
    """A call of the tracking API, gzip or plain. Raises Refusal."""
    limit = MAX_BATCH_BYTES if kind == "batch" else MAX_ITEM_BYTES
    message = _json(body, limit)
    if not isinstance(message, dict):
        raise Refusal("invalid_body", "the body is not a JSON object")
    key = message.get("writeKey")
    write_key = key if isinstance(key, str) else ""
    if kind != "batch":
        return Request(({**message, "type": kind},), True, write_key)
    items = message.get("batch")
    if not isinstance(items, list):
        raise Refusal("invalid_body", "batch must be an array")
    if len(items) > MAX_ITEMS:
        raise Refusal("payload_too_large", f"more than {MAX_ITEMS} messages")
    _bound(message, items)
    return Request(tuple(_under(message, item) for item in items), False, write_key)


def judge(request: Request, *, now_us: int) -> Judged:
    """Events of the messages that can be kept. Raises Refusal for a single one that cannot."""
    events, rejected = [], []
    for index, item in enumerate(request.items):
        try:
            events.append(_event(item, received_us=now_us, relayed=False))
        except Refusal as refusal:
            if request.single:
                raise
            rejected.append((index, refusal.code))
    return Judged(tuple(events), tuple(rejected))


def _json(body: bytes, limit: int) -> Any:
    try:
        plain = sniff_unpack(body, limit)
    except TooMuch:
        raise Refusal("payload_too_large", f"more than {limit} bytes") from None
    except Malformed:
        raise Refusal("invalid_json", "the body is not gzip") from None
    try:
        return read_json(plain)
    except InvalidBody:
        raise Refusal("invalid_json", "the body is not JSON") from None


def _bound(batch: Mapping[str, Any], items: Sequence[Any]) -> None:
    """Raises Refusal if one message is over its limit (counted without blanks), or all would be too much."""
    for index, item in enumerate(items):
        if _size(item) > MAX_ITEM_BYTES:
            raise Refusal("payload_too_large", f"message {index} has more than {MAX_ITEM_BYTES} bytes")
    if len(items) * _size([batch.get(member) for member in (*_SHARED, "sentAt")]) > MAX_SPREAD_BYTES:
        raise Refusal("payload_too_large", "too much is said for all of so many messages")


def _size(value: Any) -> int:
    """Bytes of a JSON value, without blanks."""
    try:
        return len(orjson.dumps(value))
    except TypeError:  # lone surrogates, huge numbers, depth: as it will be kept
        return len(orjson.dumps(storable(value)))


def _under(batch: Mapping[str, Any], item: Any) -> Any:
    """A message with what the batch says for all laid under it."""
    if not isinstance(item, dict):
        return item
    merged = dict(item)
    for member in _SHARED:
        shared, own = batch.get(member), item.get(member)
        if isinstance(shared, dict) and (own is None or isinstance(own, dict)):
            merged[member] = {**shared, **(own or {})}
    if merged.get("sentAt") is None and batch.get("sentAt") is not None:
        merged["sentAt"] = batch["sentAt"]
    return merged


# -- webhook destination


def read_webhook(body: bytes, signature: str, *, options: SegmentOptions, now_us: int) -> Judged:
    """What a webhook brings: a message or an array of them. Raises Refusal.

    `X-Signature` is asked for where the project has a signing secret; only then are deletions obeyed.
    """
    secret = options.signing_secret
    value = None
    plain = b""
    try:
        plain = sniff_unpack(body, MAX_WEBHOOK_BYTES)
        value = read_json(plain)
        signed = first_item(plain.decode("utf-8", "replace")).encode() if isinstance(value, list) else body
    except TooMuch:
        raise Refusal("payload_too_large", f"more than {MAX_WEBHOOK_BYTES} bytes") from None
    except (InvalidBody, Malformed):
        signed = body
    if secret and not _signed(secret, signature, signed, body):
        raise Refusal("invalid_signature", "X-Signature is missing or wrong", 401)
    if value is None:
        raise Refusal("invalid_json", "the body is not JSON")
    if not isinstance(value, (dict, list)):
        raise Refusal("invalid_body", "the body is neither a JSON object nor an array")
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_WEBHOOK_ITEMS:
        raise Refusal("payload_too_large", f"more than {MAX_WEBHOOK_ITEMS} messages")
    return _judge_webhook(items, now_us, erases=bool(secret))


def _judge_webhook(items: Iterable[Any], now_us: int, *, erases: bool) -> Judged:
    events: list[IncomingEvent] = []
    rejected: list[tuple[int, str]] = []
    deletions: list[str] = []
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("type") == "delete":
            user_id = _identifier(item.get("userId"))
            if user_id and erases:
                deletions.append(user_id)
            else:
                rejected.append((index, "delete_refused" if user_id else "no_user_anon_id"))
            continue
        try:
            events.append(_event(item, received_us=now_us, relayed=True))
        except Refusal as refusal:
            rejected.append((index, refusal.code))
    return Judged(tuple(events), tuple(rejected), tuple(deletions))


def _signed(secret: str, signature: str, *texts: bytes) -> bool:
    """Whether the signature is that of one of the texts: lowercase hex of HMAC-SHA1."""
    given = signature.encode("utf-8", "replace")
    wanted = [hmac.new(secret.encode(), text, hashlib.sha1).hexdigest().encode() for text in texts]
    return any([hmac.compare_digest(given, each) for each in wanted])


# -- messages


def _event(item: Any, *, received_us: int, relayed: bool) -> IncomingEvent:
    """One message as an event; `relayed`: Segment received it first and says when. Raises Refusal."""
    if not isinstance(item, dict):
        raise Refusal("invalid_body", "a message is a JSON object")
    kind = item.get("type")
    if kind not in TYPES:
        raise Refusal("invalid_type", "the type is not known")
    user_id, anonymous_id = _identifier(item.get("userId")), _identifier(item.get("anonymousId"))
    if not user_id and not anonymous_id:
        raise Refusal("no_user_anon_id", "userId or anonymousId is needed")
    name = item.get("event" if kind == "track" else "name")
    if kind == "track" and not (isinstance(name, str) and name):
        raise Refusal("missing_event", "a track call needs an event")
    at_us, device_us, times = _times(item, received_us, relayed)
    data = {key: value for key, value in item.items() if key not in ("writeKey", *times)}
    data["messageId"] = message_id = _identifier(item.get("messageId")) or str(uuid.uuid4())
    context = item.get("context")
    data["context"] = context if isinstance(context, dict) else {}
    data.setdefault("integrations", {})
    for member, found in (("userId", user_id), ("anonymousId", anonymous_id)):
        data[member] = found or None
    return IncomingEvent(
        source="segment",
        category=kind,
        name=name if isinstance(name, str) and name else kind,
        at_us=at_us,
        device_us=device_us,
        session_id=_identifier(data["context"].get("sessionId")) or None,
        user_id=user_id,
        event_id=_short(message_id),
        data=data | times,
    )


def _times(item: Mapping[str, Any], received_us: int, relayed: bool) -> tuple[int, int, dict[str, Any]]:
    """(corrected µs, the device's µs, the four timestamps as they are stored). Section 3.3."""
    sent_text = item.get("originalTimestamp") or item.get("timestamp")
    if not relayed and item.get("timestamp"):
        sent_text = item["timestamp"]
    original, sent, told = parse_time(sent_text), parse_time(item.get("sentAt")), None
    if relayed and (told := parse_time(item.get("receivedAt"))) is not None:
        received_us = micros(told)
    if original is None:
        at_us = device_us = received_us
    elif sent is None:
        corrected = parse_time(item.get("timestamp")) or original
        at_us, device_us = micros(corrected), micros(original)
    else:
        device_us = micros(original)
        at_us = received_us - (micros(sent) - device_us)
    times = {
        "originalTimestamp": sent_text if isinstance(sent_text, str) else None,
        "sentAt": item["sentAt"] if isinstance(item.get("sentAt"), str) else None,
        "receivedAt": _iso(received_us),
        "timestamp": _iso(at_us),
    }
    return at_us, device_us, times


def _iso(at_us: int) -> str | None:
    try:
        return moment_of(at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def _identifier(value: Any) -> str:
    """An identifier as text; numbers are taken too. Empty if it is none."""
    if isinstance(value, str):
        return value if value.strip() else ""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _short(identifier: str) -> str:
    if len(identifier) <= _MAX_ID:
        return identifier
    return hashlib.sha256(identifier.encode("utf-8", "replace")).hexdigest()
