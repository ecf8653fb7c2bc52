"""The Hamustro collector: `/api/v1/track` and `/api/flush`, pure. Source: spec/hamustro.md.

One request is all or nothing; nothing is deduplicated (section 8). The order of checks is section 6.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

import orjson

from events.incoming import IncomingEvent
from events.model import clamp_us
from ingest.hamustro_schema import ENVIRONMENTS
from ingest.hamustro_wire import Collection, read_json_collection, read_protobuf
from playhead.errors import InvalidBody, TooLarge
from projects.model import HamustroOptions

TIME: Final = "x-hamustro-time"
SIGNATURE: Final = "x-hamustro-signature"
MAINTENANCE_KEY: Final = "x-hamustro-maintenance-key"
PROTOBUF: Final = "application/protobuf"

_READERS: Final = {PROTOBUF: read_protobuf, "application/json": read_json_collection}
_SKIPPED: Final = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_V4: Final = re.compile(r"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})\..+", re.S)
_BEHIND_V6: Final = re.compile(r"[]/%]")  # port, prefix length, zone
#: of a collection's fields, once they are copied onto every event
MAX_SPREAD_BYTES: Final = 16_000_000
_LEAP_CYCLE_DAYS: Final = 146_097  # 400 years
_DAY_S: Final = 86_400

#: members of a record, in their order; those after the bar are left out when empty
_HEAD: Final = ("device_id", "client_id", "session", "nr")
_VERSIONS: Final = ("system_version", "product_version", "at")
_LAYOUT_1: Final = (
    (*_HEAD, *_VERSIONS, "event"),
    ("system", "product_git_hash", "user_id", "ip", "parameters"),
)
_DEVICE: Final = ("device_make", "device_model", "system", "system_language", "browser", "browser_version")
_LAYOUT_2: Final = (
    (*_HEAD, "env", *_VERSIONS, "timezone", "event"),
    (*_DEVICE, "product_git_hash", "product_language", "user_id", "tenant_id", "ip", "country"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the original's error text (empty: none), and the events to keep."""

    status: int
    error: str = ""
    events: tuple[IncomingEvent, ...] = ()


#: before everything else, from the signal to stop on; as the original spells it
STOPPING: Final = Answer(503, "Server is currenly shutting down")


def track(
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    options: HamustroOptions,
    now_ms: int,
    peer: str = "",
) -> Answer:
    """The answer to a request; `headers` by lower-case names, `peer` the client's address, as far as known.

    Raises TooLarge: too many events, or too much that would be copied onto each.
    """
    if method != "POST":
        return Answer(405, "Sending method is not POST")
    refused = _unsigned(headers, body, options, now_ms)
    if refused:
        return Answer(405, refused)
    content_type = headers.get("content-type") or (PROTOBUF if options.assume_protobuf else "")
    reader = _READERS.get(content_type.partition(";")[0].strip().lower())
    if reader is None:
        return Answer(400, "Unsupported or missing Content-Type")
    try:
        collection = reader(body)
    except InvalidBody as problem:
        return Answer(400, f"Unmarshaling failed: {problem}")
    if not collection.session_fits():
        return Answer(400, "Collection's session attribute is invalid")
    if not collection.payloads:
        return Answer(204)
    if collection.shared_bytes() * len(collection.payloads) > MAX_SPREAD_BYTES:
        raise TooLarge("too much is said for all of so many events")
    found = _address(headers if options.trust_forwarded else {}, peer)
    return Answer(200, events=tuple(_events(collection, found, options.masked_ip)))


def flush(
    method: str, headers: Mapping[str, str], *, options: HamustroOptions, stopping: bool = False
) -> Answer:
    """The answer to `/api/flush`; with 200, what is buffered shall be written (section 7)."""
    if not options.maintenance_key:
        return Answer(503, "Maintenance key is not configured")
    if stopping:
        return STOPPING
    if method != "POST":
        return Answer(405, "Sending method is not POST")
    sent = headers.get(MAINTENANCE_KEY, "")
    if not sent:
        return Answer(405, "X-Hamustro-Maintenance-Key header is missing")
    if not _same(sent, hashlib.sha256(options.maintenance_key.encode()).hexdigest()):
        return Answer(405, "X-Hamustro-Maintenance-Key header is invalid")
    return Answer(200)


def sign(body: bytes, time: str, secret: str) -> str:
    """The signature of a body, with the exact text of the time header (section 3), whose bytes may be no UTF-8."""
    inner = hashlib.md5(body, usedforsecurity=False).hexdigest()
    digest = hashlib.sha256(f"{time}|{inner}|{secret}".encode("utf-8", "surrogateescape")).digest()
    return base64.b64encode(digest).decode()


def _unsigned(headers: Mapping[str, str], body: bytes, options: HamustroOptions, now_ms: int) -> str:
    """Why the signature will not do; empty if it will. The time is compared with the clock only where that is set."""
    time, signature = headers.get(TIME, ""), headers.get(SIGNATURE, "")
    if options.signature == "optional" and not time and not signature:
        return ""
    if not time:
        return "X-Hamustro-Time header is missing"
    if not signature:
        return "X-Hamustro-Signature header is missing"
    if not options.shared_secret or not _same(signature, sign(body, time, options.shared_secret)):
        return "X-Hamustro-Signature header is invalid"
    if options.max_skew_s and not _is_near(time, now_ms / 1000, options.max_skew_s):
        return "X-Hamustro-Time header is invalid"
    return ""


def _is_near(time: str, now_s: float, skew_s: int) -> bool:
    return _SECONDS.fullmatch(time) is not None and abs(int(time) - now_s) <= skew_s


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _events(collection: Collection, address: str, masked: bool) -> Iterator[IncomingEvent]:
    shared = {name: value for name, value in collection.fields.items() if name != "payloads"}
    for payload in collection.payloads:
        record = _record(collection.layout, shared | payload, address, masked)
        at_us = clamp_us(payload["at"] * 1_000_000)
        yield IncomingEvent(
            source="hamustro",
            category="hamustro",
            name=record["event"],
            at_us=at_us,
            device_us=at_us,
            session_id=record["session"],
            user_id=str(record.get("user_id", "")),
            data=record,
        )


def _record(layout: int, values: dict[str, Any], address: str, masked: bool) -> dict[str, Any]:
    """The stored record of one payload, members in the order of section 8."""
    texts = {name: _text(value) for name, value in values.items()}
    texts["at"] = utc_text(values["at"])
    texts["ip"] = texts.get("ip") or address
    if masked:
        texts["ip"] = mask(texts["ip"])
    if layout == 2:
        texts["env"] = _environment(values["env"])
        texts.setdefault("timezone", "")
    always, unless_empty = _LAYOUT_2 if layout == 2 else _LAYOUT_1
    record = {name: texts[name] for name in always}
    record |= {name: value for name in unless_empty if (value := texts.get(name))}
    if layout == 2:
        record["parameters"] = _parameters(values.get("parameters", []))
    else:
        record["is_testing"] = bool(values.get("is_testing", False))
    return record


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _environment(number: int) -> str:
    return ENVIRONMENTS[number] if 0 <= number < len(ENVIRONMENTS) else str(number)


def _parameters(pairs: list[dict[str, bytes]]) -> str:
    """Name/value pairs as the text of a JSON object, keys sorted, a later duplicate winning."""
    found = {_text(pair["name"]): _text(pair["value"]) for pair in pairs}
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def utc_text(seconds: int) -> str:
    """Epoch seconds -> `YYYY-MM-DD HH:MM:SS`, also beyond the year 9999."""
    days, second = divmod(seconds, _DAY_S)
    cycles, day = divmod(days, _LEAP_CYCLE_DAYS)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second)
    return f"{moment.year + 400 * cycles:04d}-{moment:%m-%d %H:%M:%S}"


def mask(address: str) -> str:
    """An address without its last part: IPv4 by the original's pattern, IPv6 down to its site (/48)."""
    masked = _V4.sub(r"\1.0", address)
    if masked == address and ":" in address:
        try:
            parsed = IPv6Address(_BEHIND_V6.split(address.removeprefix("["))[0])
        except AddressValueError:
            return address
        if not parsed.is_loopback:
            return str(IPv6Network((parsed, 48), strict=False).network_address)
    return masked


def _address(headers: Mapping[str, str], peer: str) -> str:
    """The first public IPv4 of X-Forwarded-For, X-Real-Ip, the peer; empty if there is none."""
    forwarded = headers.get("x-forwarded-for", "").split(",")
    for text in (*forwarded, headers.get("x-real-ip", ""), peer):
        try:
            found = IPv4Address(text.strip())
        except AddressValueError:
            continue
        if not any(found in network for network in _SKIPPED):
            return str(found)
    return ""
