"""Every rule of spec/segment-webhook.md part 3, with bodies as segment-analytics-python 2.4.0 sends them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import uuid
from typing import Any

import pytest

from events import IncomingEvent
from ingest.iso_times import micros, parse_time
from ingest.segment_com import (
    ACCEPTED,
    MAX_BATCH_BYTES,
    MAX_ITEM_BYTES,
    MAX_ITEMS,
    Judged,
    Refusal,
    judge,
    key_of_header,
    parse,
    read_webhook,
)
from projects.model import SegmentOptions

RECEIVED = "2026-01-02T12:00:05.200Z"


def us(text: str) -> int:
    moment = parse_time(text)
    assert moment is not None
    return micros(moment)


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def call(kind: Any, body: Any, received: str = RECEIVED) -> Judged:
    return judge(parse(kind, encoded(body)), now_us=us(received))


def one(judged: Judged) -> IncomingEvent:
    assert not judged.rejected
    (event,) = judged.events
    return event


def code(kind: Any, body: Any) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        call(kind, body)
    assert caught.value.body().keys() == {"code", "message"}
    return caught.value.status, caught.value.code


def item(**more: Any) -> dict[str, Any]:
    """An item as the Python library makes it."""
    return {
        "integrations": {},
        "anonymousId": None,
        "properties": {"plan": "gold"},
        "timestamp": "2026-01-02T12:00:00.000+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": "u-1",
        "type": "track",
        "event": "Bought",
        "messageId": "8d2bbb86-56cb-4c32-8d6f-3f2f1d6b2f2a",
        **more,
    }


def batch(*items: Any, **more: Any) -> dict[str, Any]:
    return {
        "batch": list(items),
        "sentAt": "2026-01-02T12:00:05.000000+00:00",
        "writeKey": "shop",
        **more,
    }


# -- write key


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Basic " + base64.b64encode(b"shop:").decode(), "shop"),
        ("Basic " + base64.b64encode(b"shop").decode(), "shop"),
        ("basic " + base64.b64encode(b"shop:x").decode(), "shop"),
        ("Bearer shop", ""),
        ("Basic ???", ""),
        ("Basic " + base64.b64encode(b"\xff:").decode(), ""),
        ("Basic", ""),
        ("", ""),
    ],
)
def test_the_write_key_of_a_header(header: str, key: str) -> None:
    assert key_of_header(header) == key


@pytest.mark.parametrize(("sent", "key"), [("shop", "shop"), (None, ""), (5, "")])
def test_the_write_key_of_a_body(sent: Any, key: str) -> None:
    assert parse("batch", encoded(batch(writeKey=sent))).write_key == key
    assert parse("track", encoded(item(writeKey=sent))).write_key == key


# -- stored messages


def test_a_track_call() -> None:
    event = one(call("batch", batch(item())))
    assert (event.source, event.category, event.name) == ("segment", "track", "Bought")
    assert (event.user_id, event.session_id) == ("u-1", None)
    assert event.event_id == "8d2bbb86-56cb-4c32-8d6f-3f2f1d6b2f2a"
    assert (event.at_us, event.device_us) == (us("2026-01-02T12:00:00.200Z"), us("2026-01-02T12:00:00Z"))
    assert event.data == {
        "messageId": "8d2bbb86-56cb-4c32-8d6f-3f2f1d6b2f2a",
        "type": "track",
        "event": "Bought",
        "userId": "u-1",
        "anonymousId": None,
        "properties": {"plan": "gold"},
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "integrations": {},
        "originalTimestamp": "2026-01-02T12:00:00.000+00:00",
        "sentAt": "2026-01-02T12:00:05.000000+00:00",
        "receivedAt": RECEIVED,
        "timestamp": "2026-01-02T12:00:00.200Z",
    }


@pytest.mark.parametrize(
    ("kind", "more", "name"),
    [
        ("track", {"event": "Bought"}, "Bought"),
        ("identify", {"traits": {"mail": "x"}}, "identify"),
        ("page", {"name": "Home", "category": None, "properties": {}}, "Home"),
        ("page", {"name": None, "category": "Shop"}, "page"),
        ("screen", {"name": "Cart"}, "Cart"),
        ("group", {"groupId": "g", "traits": {}}, "group"),
        ("alias", {"previousId": "old"}, "alias"),
    ],
)
def test_all_calls_single_and_in_a_batch(kind: str, more: dict[str, Any], name: str) -> None:
    sent = {"userId": "u", **more}
    for event in (one(call(kind, sent)), one(call("batch", batch({"type": kind, **sent})))):
        assert (event.category, event.name, event.data["type"]) == (kind, name, kind)
        assert {key: event.data[key] for key in more} == more


def test_the_path_says_the_type() -> None:
    assert one(call("identify", {"userId": "u", "type": "track"})).data["type"] == "identify"


def test_a_message_id_is_made_up() -> None:
    for sent in (None, "", 5):
        event = one(call("track", item(messageId=sent)))
        assert event.event_id == event.data["messageId"]
        assert event.event_id == "5" if sent == 5 else uuid.UUID(event.event_id)
    long = one(call("track", item(messageId="x" * 500)))
    assert len(long.event_id) == 64 and long.data["messageId"] == "x" * 500


@pytest.mark.parametrize(
    ("sent", "user_id"), [({"userId": "u"}, "u"), ({"anonymousId": "a"}, ""), ({"userId": 5}, "5")]
)
def test_identifiers(sent: dict[str, Any], user_id: str) -> None:
    event = one(call("track", {"event": "e", **sent}))
    assert event.user_id == user_id
    assert event.data["userId"] == (user_id or None)
    assert event.data["anonymousId"] == sent.get("anonymousId")


@pytest.mark.parametrize(
    ("sent", "kept"), [("s-1", "s-1"), (1700000000, "1700000000"), (None, None), ([], None)]
)
def test_a_session_in_the_context(sent: Any, kept: str | None) -> None:
    assert one(call("track", item(context={"sessionId": sent}))).session_id == kept
    assert one(call("track", item(context="none"))).session_id is None


def test_the_write_key_is_not_stored() -> None:
    assert "writeKey" not in one(call("track", item(writeKey="shop"))).data


# -- clock skew


@pytest.mark.parametrize(
    ("original", "sent", "received", "at"),
    [
        ("10:00:00.000Z", "10:00:05.000Z", "12:00:05.200Z", "12:00:00.200Z"),
        ("10:00:00.000", "10:00:05.000", "12:00:05.200Z", "12:00:00.200Z"),
        ("11:00:00.000+01:00", "10:00:05Z", "12:00:05.200Z", "12:00:00.200Z"),
        ("10:00:00.000Z", None, "12:00:05.200Z", "10:00:00.000Z"),
        ("10:00:00.000Z", "soon", "12:00:05.200Z", "10:00:00.000Z"),
        (None, "10:00:05.000Z", "12:00:05.200Z", "12:00:05.200Z"),
        ("soon", "10:00:05.000Z", "12:00:05.200Z", "12:00:05.200Z"),
        (None, None, "12:00:05.200Z", "12:00:05.200Z"),
    ],
)
def test_clock_skew(original: str | None, sent: str | None, received: str, at: str) -> None:
    def dated(text: str | None) -> str | None:
        return f"2026-01-02T{text}" if text and text[0].isdigit() else text

    message = item(timestamp=dated(original), sentAt=dated(sent))
    event = one(call("track", message, f"2026-01-02T{received}"))
    assert event.at_us == us(f"2026-01-02T{at}")
    assert event.data["timestamp"] == f"2026-01-02T{at}"
    assert event.data["receivedAt"] == f"2026-01-02T{received}"


def test_times_beyond_the_calendar_do_no_harm() -> None:
    message = item(timestamp="0001-01-01T00:00:00Z", sentAt="9999-12-31T23:59:59Z")
    assert one(call("track", message)).data["timestamp"] is None


def test_an_items_own_sent_at_wins() -> None:
    own = item(sentAt="2026-01-02T12:00:01Z")
    assert one(call("batch", batch(own))).at_us == us("2026-01-02T12:00:04.200Z")


# -- batches


def test_what_a_batch_says_for_all_lies_under_its_items() -> None:
    shared = {"context": {"app": {"name": "a"}, "ip": "1"}, "integrations": {"All": True}}
    own = item(context={"ip": "2"}, integrations={"Mixpanel": False})
    data = one(call("batch", batch(own, **shared))).data
    assert data["context"] == {"app": {"name": "a"}, "ip": "2"}
    assert data["integrations"] == {"All": True, "Mixpanel": False}
    bare = {"type": "track", "event": "e", "userId": "u", "context": None}
    data = one(call("batch", batch(bare, **shared))).data
    assert (data["context"], data["integrations"]) == (shared["context"], shared["integrations"])


def test_bad_items_are_left_out() -> None:
    judged = call(
        "batch",
        batch(
            item(),
            item(userId=None),
            item(event=""),
            item(type="unknown"),
            item(type=None),
            5,
            item(type=["track"]),
            item(userId="", anonymousId=" "),
        ),
    )
    assert len(judged.events) == 1
    assert judged.body() == {
        "success": True,
        "rejected": [
            {"index": 1, "code": "no_user_anon_id"},
            {"index": 2, "code": "missing_event"},
            {"index": 3, "code": "invalid_type"},
            {"index": 4, "code": "invalid_type"},
            {"index": 5, "code": "invalid_body"},
            {"index": 6, "code": "invalid_type"},
            {"index": 7, "code": "no_user_anon_id"},
        ],
    }


def test_nothing_rejected_is_not_mentioned() -> None:
    assert call("batch", batch(item())).body() == ACCEPTED == {"success": True}
    assert call("batch", batch()).body() == ACCEPTED


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"event": "e"}, "no_user_anon_id"),
        ({"event": "e", "userId": True}, "no_user_anon_id"),
        ({"userId": "u"}, "missing_event"),
        ({"userId": "u", "event": ""}, "missing_event"),
        ({"userId": "u", "event": 5}, "missing_event"),
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"[]", "invalid_body"),
        (b"5", "invalid_body"),
        (b"\x1f\x8bnonsense", "invalid_json"),
        (gzip.compress(b"{", mtime=0), "invalid_json"),
    ],
    ids=repr,
)
def test_refusals_of_a_single_call(body: Any, wanted: str) -> None:
    assert code("track", body) == (400, wanted)


@pytest.mark.parametrize("body", [{}, {"batch": None}, {"batch": {}}, {"batch": "x"}], ids=repr)
def test_a_batch_needs_an_array(body: Any) -> None:
    assert code("batch", body) == (400, "invalid_body")


# -- encodings and limits


def test_gzip() -> None:
    assert one(call("batch", gzip.compress(encoded(batch(item()))))).name == "Bought"
    assert one(call("track", gzip.compress(encoded(item())))).name == "Bought"


def padded(size: int, **more: Any) -> dict[str, Any]:
    """An item of exactly so many bytes."""
    found = item(pad="", **more)
    compact = len(json.dumps(found, separators=(",", ":")))
    return {**found, "pad": "x" * (size - compact)}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_sizes(pack: Any) -> None:
    assert one(call("track", pack(compact(padded(MAX_ITEM_BYTES)))))
    assert code("track", pack(compact(padded(MAX_ITEM_BYTES + 1)))) == (400, "payload_too_large")
    assert one(call("batch", pack(compact(batch(padded(MAX_ITEM_BYTES))))))
    assert code("batch", pack(compact(batch(padded(MAX_ITEM_BYTES + 1))))) == (400, "payload_too_large")
    many = [padded(30_000) for _ in range(17)]
    rest = MAX_BATCH_BYTES - len(compact(batch(*many))) - 1
    assert len(call("batch", pack(compact(batch(*many, pad="x" * (rest - 8))))).events) == 17
    assert code("batch", pack(compact(batch(*many, pad="x" * rest)))) == (400, "payload_too_large")


def test_counts() -> None:
    small = {"type": "page", "userId": "u"}
    assert len(call("batch", batch(*[small] * MAX_ITEMS)).events) == MAX_ITEMS
    assert code("batch", batch(*[small] * (MAX_ITEMS + 1))) == (400, "payload_too_large")


def test_a_gzip_bomb_is_too_large() -> None:
    assert code("batch", gzip.compress(bytes(50_000_000))) == (400, "payload_too_large")
    with pytest.raises(Refusal, match="more than 8000000 bytes"):
        webhook(gzip.compress(b"[" + b"{}," * 3_000_000 + b"{}]"), "", SegmentOptions())


@pytest.mark.parametrize("member", ["context", "integrations", "sentAt"])
def test_a_batch_cannot_swell(member: str) -> None:
    """What it says once for all its messages is stored with each."""
    small = {"type": "page", "userId": "u"}
    for length, count, fits in (
        (3_000, 2_500, True),
        (400_000, 19, True),
        (400_000, 30, False),
        (4_000, 2_500, False),
    ):
        said: Any = "x" * length if member == "sentAt" else {"a": "x" * length}
        body = gzip.compress(compact(batch(*[small] * count, **{member: said})))
        if fits:
            assert len(call("batch", body).events) == count
        else:
            assert code("batch", body) == (400, "payload_too_large")


def test_what_cannot_be_written_as_it_is_has_a_size_too() -> None:
    for odd in ("\ud800", 10**30):
        assert one(call("batch", batch(padded(30_000, odd=odd)))).data["pad"]
        assert code("batch", batch(padded(40_000, odd=odd))) == (400, "payload_too_large")


# -- webhook destination

SIGNED = SegmentOptions(signing_secret="s3cret")


def signature(text: bytes) -> str:
    return hmac.new(b"s3cret", text, hashlib.sha1).hexdigest()


def webhook(body: Any, sign: Any = None, options: SegmentOptions = SIGNED) -> Judged:
    data = encoded(body)
    given = signature(data) if sign is None else sign
    return read_webhook(data, given, options=options, now_us=us("2026-01-02T15:00:00Z"))


RELAYED = {
    **item(),
    "originalTimestamp": "2026-01-02T10:00:00.000Z",
    "sentAt": "2026-01-02T10:00:05.000Z",
    "receivedAt": "2026-01-02T12:00:05.200Z",
    "timestamp": "2026-01-02T12:00:00.200Z",
    "projectId": "p",
    "channel": "server",
    "version": 2,
}


def test_a_webhook_message_keeps_segments_times() -> None:
    event = one(webhook(RELAYED))
    assert event.at_us == us("2026-01-02T12:00:00.200Z")
    assert event.device_us == us("2026-01-02T10:00:00Z")
    names = ("originalTimestamp", "sentAt", "receivedAt", "timestamp", "projectId", "channel")
    assert {name: event.data[name] for name in names} == {name: RELAYED[name] for name in names}
    late = {**RELAYED, "sentAt": None}
    assert one(webhook(late)).at_us == us("2026-01-02T12:00:00.200Z")


def test_a_webhook_without_times_happened_now() -> None:
    bare = {"type": "track", "event": "e", "userId": "u"}
    assert one(webhook(bare)).at_us == us("2026-01-02T15:00:00Z")


@pytest.mark.parametrize("sign", ["", "wrong", signature(b"other"), signature(encoded(RELAYED)).upper(), "ü"])
def test_a_wrong_signature(sign: str) -> None:
    for body in (RELAYED, b"{", [RELAYED]):
        with pytest.raises(Refusal) as caught:
            webhook(body, sign)
        assert (caught.value.status, caught.value.code) == (401, "invalid_signature")


def test_without_a_signing_secret_none_is_asked() -> None:
    assert one(webhook(RELAYED, "", SegmentOptions()))


@pytest.mark.parametrize("blanks", ["", " \n\t"])
def test_a_batch_is_signed_by_its_first_message(blanks: str) -> None:
    text = json.dumps({**RELAYED, "event": "größe [1]"}, ensure_ascii=False)
    body = f"[{blanks}{text}{blanks},{json.dumps({**RELAYED, 'messageId': '2'})}]".encode()
    assert len(webhook(body, signature(text.encode())).events) == 2
    assert len(webhook(body).events) == 2  # of the whole will do too
    with pytest.raises(Refusal):
        webhook(body, signature(text.encode() + b" "))


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[{]", "invalid_json"),
        (b"5", "invalid_body"),
        (b"null", "invalid_json"),
        ([{}] * 4001, "payload_too_large"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_refused_webhooks(body: Any, wanted: str) -> None:
    with pytest.raises(Refusal) as caught:
        webhook(body, "", SegmentOptions())
    assert (caught.value.status, caught.value.code) == (400, wanted)


def test_deletions_are_results_of_their_own() -> None:
    delete = {"type": "delete", "userId": "u-9", "timestamp": "2026-01-02T10:00:00Z"}
    assert webhook(delete) == Judged(deletions=("u-9",))
    judged = webhook(
        [RELAYED, delete, {"type": "delete"}, {"type": "track"}], sign=signature(encoded(RELAYED))
    )
    assert (len(judged.events), judged.deletions) == (1, ("u-9",))
    assert judged.rejected == ((2, "no_user_anon_id"), (3, "no_user_anon_id"))


def test_nobody_deletes_without_a_signature() -> None:
    judged = webhook({"type": "delete", "userId": "u"}, "", SegmentOptions())
    assert (judged.deletions, judged.rejected) == ((), ((0, "delete_refused"),))


def test_an_empty_array_is_nothing() -> None:
    assert webhook(b"[ ]", signature(b"")) == Judged()
