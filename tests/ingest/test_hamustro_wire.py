"""Both layouts in protobuf and JSON: rows of spec/hamustro.md 4."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from ingest.hamustro_protobuf import Collection1, Collection2
from ingest.hamustro_schema import ENVIRONMENTS
from tests.ingest.hamustro_requests import (
    DEVICE,
    EXAMPLE_2,
    EXAMPLE_3,
    EXAMPLE_4,
    HEAD,
    PAYLOAD,
    SESSION_1,
    SESSION_2,
    layout_1,
    layout_2,
    md5,
    one,
    send,
    send_json,
)

# -- layouts


def protobuf(kind: Any = Collection2, **more: Any) -> Any:
    message = kind(**{name: value.encode() for name, value in HEAD.items()})
    message.session = (SESSION_2 if kind is Collection2 else SESSION_1).encode()
    if kind is Collection2:
        message.env = 11
    message.payloads.add(at=1, event=b"e", nr=1)
    for name, value in more.items():
        setattr(message, name, value)
    return message


def test_protobuf_layouts_are_told_apart_by_field_6() -> None:
    assert "env" not in one(send(protobuf(Collection1).SerializeToString())).data
    assert one(send(protobuf().SerializeToString())).data["env"] == "DEVELOPMENT"
    without = protobuf()
    without.ClearField("env")
    assert send(without.SerializeToString())[0] == 400  # not an empty collection of layout 1
    assert send(without.SerializeToString() + b"\x32\x01x")[0] == 400


def test_json_layouts_are_told_apart_by_env() -> None:
    assert "env" not in one(send_json(layout_1(PAYLOAD))).data
    assert "env" in one(send_json(layout_2(PAYLOAD))).data
    assert send_json(layout_1(PAYLOAD, env=None))[0] == 400  # to layout 1 it is an unknown member


# -- protobuf rules


def test_unknown_fields_and_other_wire_types_are_skipped() -> None:
    body = protobuf().SerializeToString()
    for extra in (
        b"\xf8\x07\x01",  # varint
        b"\xf9\x07" + bytes(8),  # 64 bits
        b"\xfa\x07\x02xx",  # text
        b"\xfd\x07" + bytes(4),  # 32 bits
        b"\x08\x05",  # device_id as a varint
        b"\x32\x01x",  # env as text
        b"\x78\x05",  # payloads as a varint
    ):
        assert one(send(body + extra)).data["device_id"] == DEVICE
    assert send(b"\x08\x05" + body[66:])[0] == 400  # then a required one is missing


@pytest.mark.parametrize(
    "name", ["device_id", "client_id", "session", "system_version", "product_version", "env"]
)
def test_a_missing_field_of_a_collection(name: str) -> None:
    message = protobuf()
    message.ClearField(name)
    assert send(message.SerializeToString())[0] == 400
    collection = layout_2(PAYLOAD)
    del collection[name]
    assert send_json(collection)[0] == 400
    assert send_json({**collection, name: None})[0] == 400


@pytest.mark.parametrize("name", ["at", "event", "nr"])
@pytest.mark.parametrize("kind", [Collection1, Collection2])
def test_a_missing_field_of_a_payload(kind: Any, name: str) -> None:
    message = protobuf(kind)
    message.payloads[0].ClearField(name)
    assert send(message.SerializeToString())[0] == 400
    payload = {key: value for key, value in PAYLOAD.items() if key != name}
    assert send_json((layout_1 if kind is Collection1 else layout_2)(payload))[0] == 400


@pytest.mark.parametrize("pair", [{"name": b"a"}, {"value": b"b"}, {}])
def test_a_missing_field_of_a_parameter(pair: dict[str, bytes]) -> None:
    message = protobuf()
    message.payloads[0].parameters.add(**pair)
    assert send(message.SerializeToString())[0] == 400
    texts = {name: value.decode() for name, value in pair.items()}
    assert send_json(layout_2({**PAYLOAD, "parameters": [texts]}))[0] == 400


def test_present_but_empty_texts_are_fine() -> None:
    message = protobuf(device_id=b"", session=md5(":client-1:10.10:1.1.2:11").encode())
    assert one(send(message.SerializeToString())).data["device_id"] == ""


def test_cut_bodies_are_400() -> None:
    assert send(b"")[0] == 400
    for body in (EXAMPLE_2, EXAMPLE_4):
        assert [send(body[:end])[0] for end in range(len(body))].count(200) == 0
        assert send(body[:-1])[0] == 400
    assert send(b"\xff\xff\xff")[0] == 400
    assert send(EXAMPLE_4 + b"\x00")[0] == 400


def test_the_last_of_several_wins() -> None:
    body = b"\x0a\x01x" + protobuf().SerializeToString()
    assert one(send(body)).data["device_id"] == DEVICE


def test_nr_keeps_its_low_32_bits() -> None:
    message = protobuf()
    del message.payloads[:]
    payload = b"\x08\x01\x12\x01e\x18\x85\x80\x80\x80\x10"  # nr = 2^32 + 5
    body = message.SerializeToString() + b"\x7a" + bytes([len(payload)]) + payload
    assert one(send(body)).data["nr"] == 5


@pytest.mark.parametrize("number", [99, 12, -1, 2**31 - 1])
def test_unknown_environments(number: int) -> None:
    session = md5(f"{DEVICE}:client-1:10.10:1.1.2:{number}")
    message = protobuf(env=number, session=session.encode())
    assert one(send(message.SerializeToString())).data["env"] == str(number)
    assert one(send_json(layout_2(PAYLOAD, env=number, session=session))).data["env"] == str(number)


@pytest.mark.parametrize(("number", "name"), list(enumerate(ENVIRONMENTS)))
def test_environments(number: int, name: str) -> None:
    session = md5(f"{DEVICE}:client-1:10.10:1.1.2:{number}")
    for env in (number, name):
        assert one(send_json(layout_2(PAYLOAD, env=env, session=session))).data["env"] == name


def test_broken_utf8_is_replaced_in_records_not_in_the_session() -> None:
    session = hashlib.md5(DEVICE.encode() + b":\xff:10.10:1.1.2:11").hexdigest()
    message = protobuf(client_id=b"\xff", session=session.encode())
    assert one(send(message.SerializeToString())).data["client_id"] == "\ufffd"


# -- JSON rules


def test_camel_case_names() -> None:
    collection = {
        "deviceId": DEVICE,
        "clientId": "client-1",
        "session": SESSION_2,
        "systemVersion": "10.10",
        "productVersion": "1.1.2",
        "env": 11,
        "productGitHash": "abc",
        "payloads": [{**PAYLOAD, "userId": "u", "tenantId": "t"}],
    }
    data = one(send_json(collection)).data
    assert (data["product_git_hash"], data["user_id"], data["tenant_id"]) == ("abc", "u", "t")


@pytest.mark.parametrize("value", [1454681104, "1454681104"])
def test_numbers_as_integers_or_decimal_text(value: Any) -> None:
    payload = {"at": value, "event": "e", "nr": str(value)}
    data = one(send_json(layout_2(payload))).data
    assert (data["at"], data["nr"]) == ("2016-02-05 14:05:04", 1454681104)
    assert one(send_json(layout_1({**PAYLOAD, "user_id": value}))).data["user_id"] == 1454681104


@pytest.mark.parametrize(
    "payload",
    [
        {"at": 1.0},
        {"at": 1.5},
        {"at": 1e3},
        {"at": -1},
        {"at": "-1"},
        {"at": "1.0"},
        {"at": "soon"},
        {"at": ""},
        {"at": 2**64},
        {"at": True},
        {"at": []},
        {"at": None},
        {"nr": 2**32},
        {"nr": "4294967296"},
        {"nr": -1},
        {"nr": 1.0},
        {"event": 5},
        {"event": None},
        {"user_id": 97421193},
        {"parameters": {}},
        {"parameters": "a=b"},
        {"parameters": ["a"]},
        {"parameters": [{"name": "a", "value": 1}]},
        {"parameters": [{"name": "a", "value": "1", "unit": "s"}]},
        {"colour": 1},
        {"is_testing": True},
    ],
    ids=repr,
)
def test_json_payloads_that_are_400(payload: dict[str, Any]) -> None:
    assert send_json(layout_2({**PAYLOAD, **payload}))[0] == 400


@pytest.mark.parametrize(
    "payload",
    [{"user_id": "x"}, {"user_id": 2**32}, {"parameters": []}, {"is_testing": 1}, {"timezone": "UTC"}],
    ids=repr,
)
def test_json_payloads_of_layout_1_that_are_400(payload: dict[str, Any]) -> None:
    assert send_json(layout_1({**PAYLOAD, **payload}))[0] == 400


@pytest.mark.parametrize("env", ["11", "development", "", "LOCAL", 1.0, True, 2**31, []], ids=repr)
def test_json_environments_that_are_400(env: Any) -> None:
    assert send_json(layout_2(PAYLOAD, env=env))[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"5",
        b'"x"',
        b"null",
        b"{",
        b"\xef\xbb\xbf" + EXAMPLE_3,
        EXAMPLE_3 + b"x",
        EXAMPLE_3 + b"{}",
        b'{"a":' * 20_000,
        EXAMPLE_3.replace(b"{", b'{"colour":1,', 1),
        EXAMPLE_3.replace(b'"payloads":[', b'"payloads":[null,'),
        EXAMPLE_3.replace(b'"payloads":[', b'"payloads":[5,'),
        EXAMPLE_3.replace(b"1454681104", b"NaN"),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_json_bodies_that_are_400(body: bytes) -> None:
    assert send_json(body)[0] == 400


def test_null_is_absent() -> None:
    assert one(send_json(layout_2({**PAYLOAD, "user_id": None, "parameters": None}, browser=None)))


def test_lone_surrogates_and_broken_utf8_in_json_texts() -> None:
    body = EXAMPLE_3.replace(b"Client.CreateUser", b"\\ud800\xff")
    assert one(send_json(body)).name == "\ufffd\ufffd"
