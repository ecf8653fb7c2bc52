"""Signed requests of a Hamustro client, and the spec's worked examples."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from events import IncomingEvent
from ingest.hamustro import sign, track
from projects.model import HamustroOptions

NOW_MS = 1_454_514_088_000
SECRET = "ultrasafesecret"
OPTIONS = HamustroOptions(shared_secret=SECRET, trust_forwarded=True)
DEVICE = hashlib.sha256(b"device-1").hexdigest()

EXAMPLE_2 = bytes.fromhex(
    "0a40303332303464653932653131666338633532383133396265343139303635393230656238336462666631613436363362626561343535"
    "616136653937303262641208636c69656e742d311a20663630643230396136303330376631646531363261393133343733393566363522"
    "0531302e31302a05312e312e3232034f535842320890d8d2b5051211436c69656e742e43726561746555736572180120898fba2e2a0e32"
    "31342e3136302e3232372e32323800"
)
EXAMPLE_3 = (
    b'{"device_id":"03204de92e11fc8c528139be419065920eb83dbff1a4663bbea455aa6e9702bd","client_id":"client-1",'
    b'"session":"e480d18e37b0b40a0cac13c3544a04cc","system_version":"10.10","product_version":"1.1.2",'
    b'"env":"DEVELOPMENT","payloads":[{"at":1454681104,"event":"Client.CreateUser","nr":1,"user_id":"97421193",'
    b'"parameters":[{"name":"parameter","value":"test_parameter"}]}]}'
)
EXAMPLE_4 = bytes.fromhex(
    "0a40303332303464653932653131666338633532383133396265343139303635393230656238336462666631613436363362626561343535"
    "616136653937303262641208636c69656e742d311a206534383064313865333762306234306130636163313363333534346130346363220531"
    "302e31302a05312e312e32300b7a420890d8d2b5051211436c69656e742e437265617465557365721801320839373432313139334a1b0a09"
    "706172616d65746572120e746573745f706172616d65746572"
)


def headers(body: bytes, content_type: str = "application/protobuf", **more: str) -> dict[str, str]:
    time = "1454514088"
    return {
        "x-hamustro-time": time,
        "x-hamustro-signature": sign(body, time, SECRET),
        "content-type": content_type,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def send(body: bytes, content_type: str = "application/protobuf", **more: Any) -> tuple[int, Any]:
    """(status, events) of a signed request."""
    options = more.pop("options", OPTIONS)
    peer = more.pop("peer", "")
    answer = track(
        "POST", headers(body, content_type, **more), body, options=options, now_ms=NOW_MS, peer=peer
    )
    assert bool(answer.error) == (answer.status >= 400)
    return answer.status, answer.events


def send_json(collection: Any, **more: Any) -> tuple[int, Any]:
    body = collection if isinstance(collection, bytes) else json.dumps(collection).encode()
    return send(body, "application/json", **more)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


SESSION_1 = md5(f"{DEVICE}:client-1:10.10:1.1.2")
SESSION_2 = md5(f"{DEVICE}:client-1:10.10:1.1.2:11")
HEAD: dict[str, Any] = {
    "device_id": DEVICE,
    "client_id": "client-1",
    "system_version": "10.10",
    "product_version": "1.1.2",
}


def layout_1(*payloads: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**HEAD, "session": SESSION_1, "payloads": list(payloads), **more}


def layout_2(*payloads: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**HEAD, "session": SESSION_2, "env": "DEVELOPMENT", "payloads": list(payloads), **more}


PAYLOAD: dict[str, Any] = {"at": 1454681104, "event": "Client.CreateUser", "nr": 1}


def one(sent: tuple[int, Any]) -> IncomingEvent:
    status, events = sent
    assert status == 200
    (event,) = events
    assert isinstance(event, IncomingEvent)
    return event
