"""Signature, answers, records and addresses: rows, examples and cases of spec/hamustro.md."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ingest.hamustro import flush, mask, sign, track, utc_text
from ingest.hamustro_protobuf import Collection2
from playhead.errors import TooLarge
from projects.model import HamustroOptions
from tests.ingest.hamustro_requests import (
    DEVICE,
    EXAMPLE_2,
    EXAMPLE_3,
    EXAMPLE_4,
    HEAD,
    NOW_MS,
    OPTIONS,
    PAYLOAD,
    SECRET,
    SESSION_1,
    SESSION_2,
    headers,
    layout_1,
    layout_2,
    one,
    send,
    send_json,
)

# -- signature


@pytest.mark.parametrize(
    ("body", "time", "inner", "signature"),
    [
        (
            b"something",
            "1454514088",
            "437b930db84b8079c2dd804a71936b5f",
            "DAfTAP+9T/K/N08k+nwRTWNpfacimS8DJcQG1I4+Moo=",
        ),
        (
            EXAMPLE_2,
            "1455000000",
            "113d4edad844d33d14e15a1d100793d8",
            "9SZRaViShRdPuMsr81OBgMQ96g+M13tOEgL6XMHANNU=",
        ),
        (
            EXAMPLE_3,
            "1486740000",
            "a4cd058ae93f3f196ec67a83c0a10ec5",
            "CAZJH0KEHlzValVYYfqMpKf9rTqxCzzCS1mq7B0kZLQ=",
        ),
        (
            EXAMPLE_4,
            "1486740000",
            "20bb29776dba7574dc4c170bf98ea02d",
            "/65Ww3rNrXA0Ec9BlJESctSkeKfdWRfUjAuH4nsT8vI=",
        ),
    ],
)
def test_worked_signatures(body: bytes, time: str, inner: str, signature: str) -> None:
    assert hashlib.md5(body).hexdigest() == inner
    assert sign(body, time, SECRET) == signature


@pytest.mark.parametrize(
    ("body", "time", "content_type"),
    [
        (EXAMPLE_2, "1455000000", "application/protobuf"),
        (EXAMPLE_3, "1486740000", "application/json"),
        (EXAMPLE_4, "1486740000", "application/protobuf"),
    ],
)
def test_the_digest_is_raw_not_hex(body: bytes, time: str, content_type: str) -> None:
    import base64

    good = sign(body, time, SECRET)
    of_hex = base64.b64encode(base64.b64decode(good).hex().encode()).decode()
    for signature, status in ((good, 200), (of_hex, 405), (good.lower(), 405), (good + " ", 405), ("ü", 405)):
        found = {
            "x-hamustro-time": time,
            "x-hamustro-signature": signature,
            "content-type": content_type,
        }
        assert track("POST", found, body, options=OPTIONS, now_ms=NOW_MS).status == status


OPTIONAL = OPTIONS.model_copy(update={"signature": "optional"})


@pytest.mark.parametrize(
    ("options", "time", "signature", "status", "error"),
    [
        (OPTIONS, None, None, 405, "X-Hamustro-Time header is missing"),
        (OPTIONS, "", "good", 405, "X-Hamustro-Time header is missing"),
        (OPTIONS, "5", None, 405, "X-Hamustro-Signature header is missing"),
        (OPTIONS, "5", "", 405, "X-Hamustro-Signature header is missing"),
        (OPTIONS, "5", "bad", 405, "X-Hamustro-Signature header is invalid"),
        (OPTIONS, "5", "good", 200, ""),
        (OPTIONS, "not a time", "good", 200, ""),
        (OPTIONAL, None, None, 200, ""),
        (OPTIONAL, "", "", 200, ""),
        (OPTIONAL, None, "good", 405, "X-Hamustro-Time header is missing"),
        (OPTIONAL, "5", None, 405, "X-Hamustro-Signature header is missing"),
        (OPTIONAL, "5", "bad", 405, "X-Hamustro-Signature header is invalid"),
        (OPTIONAL, "5", "good", 200, ""),
        (HamustroOptions(), "5", "good", 405, "X-Hamustro-Signature header is invalid"),
    ],
)
def test_when_the_signature_is_checked(
    options: HamustroOptions, time: str | None, signature: str | None, status: int, error: str
) -> None:
    found = {"content-type": "application/protobuf"}
    if time is not None:
        found["x-hamustro-time"] = time
    if signature is not None:
        found["x-hamustro-signature"] = (
            sign(EXAMPLE_4, time or "", SECRET) if signature == "good" else signature
        )
    answer = track("POST", found, EXAMPLE_4, options=options, now_ms=NOW_MS)
    assert (answer.status, answer.error) == (status, error)


@pytest.mark.parametrize(
    ("max_skew_s", "time", "status"),
    [
        (0, "1", 200),
        (0, "not a time", 200),
        (60, "1454514088", 200),
        (60, "1454514028", 200),
        (60, "1454514148", 200),
        (60, "1454514027", 405),
        (60, "1454514149", 405),
        (60, "not a time", 405),
        (60, "-1", 405),
        (60, "1454514088.0", 405),
        (60, "9" * 5000, 405),
    ],
)
def test_the_time_is_compared_with_the_clock_only_where_that_is_set(
    max_skew_s: int, time: str, status: int
) -> None:
    options = OPTIONAL.model_copy(update={"max_skew_s": max_skew_s})
    found = {"x-hamustro-time": time, "content-type": "application/protobuf"}
    found["x-hamustro-signature"] = sign(EXAMPLE_4, time, SECRET)
    answer = track("POST", found, EXAMPLE_4, options=options, now_ms=NOW_MS)
    assert (answer.status, answer.error) == (
        status,
        "" if status == 200 else "X-Hamustro-Time header is invalid",
    )
    unsigned = {"content-type": "application/protobuf"}
    assert track("POST", unsigned, EXAMPLE_4, options=options, now_ms=NOW_MS).status == 200


# -- order of checks and answers


def test_the_order_of_checks() -> None:
    """Each step mends one fault of a request that has them all; that the server is stopping comes before."""
    method = "GET"
    found: dict[str, str] = {"content-type": "text/plain"}
    body = b"\xff"

    def error() -> tuple[int, str]:
        answer = track(method, found, body, options=OPTIONS, now_ms=NOW_MS)
        return answer.status, answer.error.split(" failed")[0]

    assert error() == (405, "Sending method is not POST")
    method = "POST"
    assert error() == (405, "X-Hamustro-Time header is missing")
    found["x-hamustro-time"] = "1"
    assert error() == (405, "X-Hamustro-Signature header is missing")
    found["x-hamustro-signature"] = "x"
    assert error() == (405, "X-Hamustro-Signature header is invalid")
    found["x-hamustro-signature"] = sign(body, "1", SECRET)
    assert error() == (400, "Unsupported or missing Content-Type")
    found["content-type"] = "application/json"
    assert error() == (400, "Unmarshaling")
    body = json.dumps(layout_2(session="x")).encode()
    found["x-hamustro-signature"] = sign(body, "1", SECRET)
    assert error() == (400, "Collection's session attribute is invalid")
    body = json.dumps(layout_2()).encode()
    found["x-hamustro-signature"] = sign(body, "1", SECRET)
    assert error() == (204, "")
    body = json.dumps(layout_2(PAYLOAD)).encode()
    found["x-hamustro-signature"] = sign(body, "1", SECRET)
    assert error() == (200, "")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON ;charset=utf-8", 200),
        ("application/x-protobuf", 400),
        ("application/octet-stream", 400),
        ("text/plain", 400),
        ("", 400),
        ("application/protobuf", 400),
    ],
)
def test_content_types(content_type: str, status: int) -> None:
    assert send(EXAMPLE_3, content_type)[0] == status


@pytest.mark.parametrize(
    ("content_type", "status"), [(None, 200), ("", 200), ("text/plain", 400), ("application/json", 400)]
)
def test_a_missing_content_type_may_be_taken_for_protobuf(content_type: str | None, status: int) -> None:
    options = OPTIONS.model_copy(update={"assume_protobuf": True})
    found = headers(EXAMPLE_2)
    del found["content-type"]
    assert track("POST", found, EXAMPLE_2, options=OPTIONS, now_ms=NOW_MS).status == 400
    if content_type is not None:
        found["content-type"] = content_type
    assert track("POST", found, EXAMPLE_2, options=options, now_ms=NOW_MS).status == status


def test_a_content_encoding_is_not_looked_at() -> None:
    import gzip

    assert send(gzip.compress(EXAMPLE_4), content_encoding="gzip")[0] == 400


def test_one_request_is_all_or_nothing() -> None:
    bad = {"at": 1, "event": "x"}
    assert send_json(layout_2(PAYLOAD, bad)) == (400, ())


@pytest.mark.parametrize("body", [layout_1(), layout_2(), layout_2(payloads=None), layout_1(payloads=None)])
def test_no_payloads_is_204(body: dict[str, Any]) -> None:
    assert send_json(body) == (204, ())


def test_twenty_thousand_payloads_pass() -> None:
    message = Collection2(**{name: value.encode() for name, value in HEAD.items()})
    message.session, message.env = SESSION_2.encode(), 11
    for number in range(20_000):
        message.payloads.add(at=1454681104, event=b"e", nr=number)
    status, events = send(message.SerializeToString())
    assert (status, len(events)) == (200, 20_000)
    assert [each.data["nr"] for each in events[:3]] == [0, 1, 2]


# -- records


def test_layout_1_record() -> None:
    event = one(send(EXAMPLE_2))
    assert (event.source, event.category, event.name) == ("hamustro", "hamustro", "Client.CreateUser")
    assert (event.session_id, event.user_id) == (SESSION_1, "97421193")
    assert event.at_us == event.device_us == 1_454_681_104_000_000
    assert list(event.data.items()) == [
        ("device_id", DEVICE),
        ("client_id", "client-1"),
        ("session", SESSION_1),
        ("nr", 1),
        ("system_version", "10.10"),
        ("product_version", "1.1.2"),
        ("at", "2016-02-05 14:05:04"),
        ("event", "Client.CreateUser"),
        ("system", "OSX"),
        ("user_id", 97421193),
        ("ip", "214.160.227.22"),
        ("is_testing", False),
    ]


LAYOUT_2_RECORD = [
    ("device_id", DEVICE),
    ("client_id", "client-1"),
    ("session", SESSION_2),
    ("nr", 1),
    ("env", "DEVELOPMENT"),
    ("system_version", "10.10"),
    ("product_version", "1.1.2"),
    ("at", "2016-02-05 14:05:04"),
    ("timezone", ""),
    ("event", "Client.CreateUser"),
    ("user_id", "97421193"),
    ("parameters", '{"parameter":"test_parameter"}'),
]


@pytest.mark.parametrize(
    ("body", "content_type"), [(EXAMPLE_3, "application/json"), (EXAMPLE_4, "application/protobuf")]
)
def test_layout_2_record(body: bytes, content_type: str) -> None:
    assert list(one(send(body, content_type)).data.items()) == LAYOUT_2_RECORD


def test_layout_2_record_in_full() -> None:
    more = {
        "device_make": "a",
        "device_model": "b",
        "system": "c",
        "system_language": "d",
        "browser": "e",
        "browser_version": "f",
        "product_git_hash": "g",
        "product_language": "h",
    }
    payload = {
        **PAYLOAD,
        "timezone": "UTC",
        "user_id": "i",
        "tenant_id": "j",
        "ip": "1.2.3.4",
        "country": "k",
        "parameters": [
            {"name": "b", "value": "1"},
            {"name": "a", "value": "2"},
            {"name": "b", "value": "3"},
        ],
    }
    data = one(send_json(layout_2(payload, **more))).data
    assert list(data)[8:] == [
        "timezone",
        "event",
        *more,
        "user_id",
        "tenant_id",
        "ip",
        "country",
        "parameters",
    ]
    assert (data["timezone"], data["parameters"]) == ("UTC", '{"a":"2","b":"3"}')


def test_empty_optional_fields_are_left_out() -> None:
    data = one(send_json(layout_2({**PAYLOAD, "user_id": "", "country": ""}, browser=""))).data
    assert {"user_id", "country", "browser", "ip"} & data.keys() == set()
    assert (data["parameters"], data["timezone"]) == ("{}", "")
    data = one(send_json(layout_1({**PAYLOAD, "user_id": 0, "parameters": ""}, system=""))).data
    assert list(data)[8:] == ["is_testing"]
    data = one(send_json(layout_1({**PAYLOAD, "parameters": "a=b", "is_testing": True}))).data
    assert (data["parameters"], data["is_testing"]) == ("a=b", True)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01 00:00:00"),
        (1454681104, "2016-02-05 14:05:04"),
        (253_402_300_799, "9999-12-31 23:59:59"),
        (253_402_300_800, "10000-01-01 00:00:00"),
    ],
)
def test_times_are_seconds(seconds: int, text: str) -> None:
    assert utc_text(seconds) == text


def test_milliseconds_are_not_detected() -> None:
    event = one(send_json(layout_2({**PAYLOAD, "at": 1454681104000})))
    assert event.data["at"].startswith("48067-")
    assert one(send_json(layout_2({**PAYLOAD, "at": 2**64 - 1}))).data["at"]


def test_payloads_alike_but_for_the_user_are_two_events() -> None:
    status, events = send_json(layout_2({**PAYLOAD, "user_id": "1"}, {**PAYLOAD, "user_id": "2"}, PAYLOAD))
    assert (status, [each.user_id for each in events]) == (200, ["1", "2", ""])
    assert all(each.event_id == "" for each in events)


# -- sessions


@pytest.mark.parametrize(
    ("env", "session"),
    [(None, "244f056dee6d475ec673ea0d20b69bab"), ("DEVELOPMENT", "0e350a2cc31648bb24ba61eb14be337c")],
)
def test_session_vectors(env: str | None, session: str) -> None:
    collection = {
        "device_id": "a73b1c37-2c24-4786-af7a-16de88fbe23a",
        "client_id": "bce44f67b2661fd445d469b525b04f68",
        "system_version": "10.10",
        "product_version": "1.1.2",
        "session": session,
        "payloads": [PAYLOAD],
        **({"env": env} if env else {}),
    }
    assert one(send_json(collection)).session_id == session
    assert send_json({**collection, "session": session.upper()})[0] == 400
    assert send_json({**collection, "session": session[:-1]})[0] == 400


# -- addresses


@pytest.mark.parametrize(
    ("forwarded", "real", "peer", "ip"),
    [
        (" 192.168.0.1, 192.142.0.1 ", "", "", "192.142.0.1"),
        (" 10.38.135.210 ,  68.111.195.103,  ", "", "", "68.111.195.103"),
        ("10.0.0.1, ::1, nonsense", "68.1.2.3", "9.9.9.9", "68.1.2.3"),
        ("", "172.16.0.1", "9.9.9.9", "9.9.9.9"),
        ("172.32.0.1", "", "", "172.32.0.1"),
        ("127.0.0.1", "", "", "127.0.0.1"),
        ("", "", "2001:db8::1", None),
        ("", "", "", None),
        ("1.2.3.4:80", "", "", None),
    ],
)
def test_the_first_public_ipv4(forwarded: str, real: str, peer: str, ip: str | None) -> None:
    found = {"x_forwarded_for": forwarded, "x_real_ip": real}
    assert one(send_json(layout_2(PAYLOAD), peer=peer, **found)).data.get("ip") == ip
    assert one(send_json(layout_2({**PAYLOAD, "ip": "x"}), peer=peer, **found)).data["ip"] == "x"


def test_headers_are_believed_only_where_configured() -> None:
    options = OPTIONS.model_copy(update={"trust_forwarded": False})
    sent = send_json(layout_2(PAYLOAD), peer="9.9.9.9", x_forwarded_for="8.8.8.8", options=options)
    assert one(sent).data["ip"] == "9.9.9.9"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("214.160.227.22", "214.160.227.0"),
        ("214.160.227.22:80", "214.160.227.0"),
        ("214.160.227.22/24", "214.160.227.0"),
        ("", ""),
        ("::1", "::1"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("[2001:db8:1:2::3]:80", "2001:db8:1::"),
        ("2001:db8:1:2::3/64", "2001:db8:1::"),
        ("fe80:0:1:2::3%eth0", "fe80:0:1::"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.0"),
        ("a:b", "a:b"),
        ("unknown", "unknown"),
    ],
)
def test_masking(address: str, masked: str) -> None:
    assert mask(address) == masked
    options = OPTIONS.model_copy(update={"masked_ip": True})
    event = one(send_json(layout_2({**PAYLOAD, "ip": address}), options=options))
    assert event.data.get("ip", "") == masked


def test_a_found_address_is_masked_too() -> None:
    options = OPTIONS.model_copy(update={"masked_ip": True})
    assert one(send_json(layout_2(PAYLOAD), peer="9.9.9.9", options=options)).data["ip"] == "9.9.9.0"


# -- flush

MK = "4c3b3284e206c3db72440736cfdbd185f0e61a3c7fd9f049987196b987d3d1ee"


@pytest.mark.parametrize(
    ("key", "stopping", "method", "sent", "status"),
    [
        ("", True, "GET", None, 503),
        ("", False, "POST", MK, 503),
        ("mk", True, "GET", None, 503),
        ("mk", False, "GET", MK, 405),
        ("mk", False, "POST", None, 405),
        ("mk", False, "POST", "", 405),
        ("mk", False, "POST", "mk", 405),
        ("mk", False, "POST", MK.upper(), 405),
        ("mk", False, "POST", MK, 200),
        (
            "maintancekey",
            False,
            "POST",
            "393de48e805560c515a9dc55002c0ef46b09462ea8b05ec9f0fc03e02498709a",
            200,
        ),
    ],
)
def test_flush(key: str, stopping: bool, method: str, sent: str | None, status: int) -> None:
    options = HamustroOptions(maintenance_key=key)
    found = {} if sent is None else {"x-hamustro-maintenance-key": sent}
    assert flush(method, found, options=options, stopping=stopping).status == status


def test_more_than_twenty_thousand_events_are_too_many() -> None:
    sent = Collection2(**{name: value.encode() for name, value in HEAD.items()}, env=11)
    sent.session = SESSION_2.encode()
    for _ in range(20_001):
        sent.payloads.add(at=1, event=b"e", nr=1)
    with pytest.raises(TooLarge):
        send(sent.SerializeToString())
    with pytest.raises(TooLarge):
        send_json(layout_1(*[PAYLOAD] * 20_001))


def test_errors_hold_nothing_of_the_sender() -> None:
    for sent in (
        layout_1(PAYLOAD, marker=1),
        layout_2({**PAYLOAD, "marker": 1}),
        layout_1({**PAYLOAD, "nr": "marker"}),
    ):
        body = json.dumps(sent).encode()
        answer = track("POST", headers(body, "application/json"), body, options=OPTIONS, now_ms=NOW_MS)
        assert answer.status == 400
        assert "marker" not in answer.error


def test_a_collection_cannot_swell() -> None:
    """Its fields are copied onto each of its events."""
    for length, count, fits in (
        (500_000, 20, True),
        (500_000, 40, False),
        (3_000, 4_000, True),
        (5_000, 4_000, False),
    ):
        sent = layout_2(*[PAYLOAD] * count, device_make="x" * length)
        if fits:
            assert send_json(sent)[0] == 200
        else:
            with pytest.raises(TooLarge):
                send_json(sent)
