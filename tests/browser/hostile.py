"""A session whose every recorded string tries to become part of the page, sent as an SDK would send it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from PIL import Image

from client.archives import Shot, ios_upload
from client.devices import DEVICES, Platform
from client.phone import Phone
from client.report import Report, SentPicture
from client.scenario import Wishes, make_script
from client.script import Emit, Script
from client.sdk_model import Options, Sdk
from client.simulation import launch
from client.transport import Reply, Request, Transport
from client.virtual_clock import VirtualClock
from messages import TABLE, Message
from messages.schema import MobileCrash, MobileNetworkCall, MobileViewComponentEvent
from playhead.wiring import wall_clock
from tests.browser.world import AGO_MS, World

#: what a page defines so that a script of the recording can tell that it ran
CANARY = "canary"
ELSEWHERE = "http://elsewhere.example"

PAYLOADS = (
    "<script>canary('script')</script>",
    "\"'><img src=x onerror=canary('img')>",
    "<svg/onload=canary('svg')><a xlink:href=javascript:canary('xlink')>",
    "</title></style></textarea></template><script>canary('closed')</script>",
    "${canary('template')} {{constructor.constructor('canary(1)')()}} <%= 7 * 7 %> #{7*7}",
    "javascript:canary('url')",
    "data:text/html,<script>parent.canary('data')</script>",
    "\x1b[31mred\x1b[0m\x1b]8;;http://elsewhere.example\x07link\x1b]8;;\x07\x1b]0;title\x07",
    "<style>@import 'http://elsewhere.example/a.css'; * { display: none }</style>",
    "<base href=http://elsewhere.example/><meta http-equiv=refresh content='0;url=http://elsewhere.example/'>",
    "<iframe srcdoc=\"<script>parent.canary('frame')</script>\"></iframe><object data=http://elsewhere.example/>",
    "\u202egnp.exe\u2066 \u200b\u0000\ufeff <!-- -->]]>&lt;b&gt;&#60;i&#62;",
    "",
    "__proto__",
    "W" * 3_000,
    "<script>canary('last')</script>",
)
EVERYTHING = " ".join(PAYLOADS[:12])


def messages() -> Iterator[Message]:
    """Each message that a tracker of today sends, with each payload in all its text fields."""
    for payload in PAYLOADS:
        for row in TABLE:
            if row.legacy or row.cls.NAME == "MobileBatchMeta":
                continue
            values: dict[str, Any] = {
                column.attribute: {"string": payload, "boolean": True}.get(column.kind, 1)
                for column in row.columns
            }
            yield row.cls(**values)
        yield MobileViewComponentEvent(payload, payload, False)
        yield _call(payload)
    yield MobileCrash(EVERYTHING, EVERYTHING, "\n".join(f"at {payload}" for payload in PAYLOADS))


def _call(payload: str) -> MobileNetworkCall:
    """Payloads where the player looks into JSON: names and values of headers, members of bodies."""
    headers = {payload or "Empty": payload, "Content-Type": "application/json", "Location": payload}
    body = json.dumps(
        {payload: payload, "__proto__": {"polluted": payload}, "list": [payload, {payload: [payload]}]}
    )
    side = json.dumps({"headers": headers, "body": body})
    return MobileNetworkCall(
        payload, payload or "GET", f"https://api.example/{payload}?q={payload}", side, side, 500, 10
    )


def script() -> Script:
    """A short visit to the shop, with `messages` all along."""
    device = DEVICES[Platform.IOS][0]
    visit = make_script(device, 7, 0.25, Wishes(app="shop", user="mallory"))
    made = list(messages())
    step_ms = (visit.duration_ms - 1000) / len(made)
    emitted = [Emit(500 + int(number * step_ms), each) for number, each in enumerate(made)]
    steps = sorted((*visit.steps, *emitted), key=lambda step: step.at_ms)
    return replace(visit, steps=tuple(steps))


@dataclass
class HostilePhone:
    """Puts EVERYTHING into what `/start` tells of the device, on the way to `inner`."""

    inner: Transport

    async def send(self, request: Request) -> Reply:
        if request.path.endswith("/start"):
            told = json.loads(request.body)
            for name in ("revID", "userUUID", "userOSVersion", "userDevice", "userDeviceType", "timezone"):
                told[name] = EVERYTHING
            request = replace(request, body=json.dumps(told).encode())
        return await self.inner.send(request)


async def send_session(world: World, project: str) -> tuple[str, int]:
    """All of it -> session id, device time (ms) of the picture that is a page too."""
    clock = VirtualClock(wall_clock() - AGO_MS)
    async with world.inside(clock) as (_, transport):
        phone = Phone(DEVICES[Platform.IOS][0], Random(7))
        sdk = await launch(phone, script(), Options(project), HostilePhone(transport), clock, Report())
        return str(sdk.uplink.session_id), await _send_pictures(sdk)


async def _send_pictures(sdk: Sdk) -> int:
    """Bytes of pages instead of pictures, and a picture that is a page too -> the time (ms) of that one."""
    page = b"<!doctype html><script>parent.canary('picture')</script><svg onload=canary('svg') xmlns='http://www.w3.org/2000/svg'/>"
    buffer = io.BytesIO()
    Image.new("RGB", (393, 852), "teal").save(buffer, "JPEG", comment=page)
    at_ms = sdk.clock()
    shots = [
        Shot(SentPicture(at_ms + number, "", "jpeg", len(data), sdk.uplink.session_id), data)
        for number, data in enumerate(
            (page, b"<svg xmlns='http://www.w3.org/2000/svg' onload='canary()'/>", buffer.getvalue())
        )
    ]
    upload = ios_upload(sdk.uplink.session_id, at_ms, 0, shots, frames=True, labelled=True)
    reply = await sdk.uplink.images(upload)
    assert reply.ok
    return shots[-1].sent.at_ms
