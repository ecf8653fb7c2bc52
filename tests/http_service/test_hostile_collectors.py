"""Spoiled requests to the collectors: never a 500, and whatever is acknowledged is stored and can be read."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import gzip
import hashlib
import hmac
import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from projects import ProjectUser
from projects.model import HamustroOptions, SegmentOptions
from storage.ledger import balances
from tests.http_service.conftest import ADMIN, Site
from tests.http_service.test_events_api import URL, event
from tests.ingest.hamustro_requests import PAYLOAD, layout_1, layout_2
from tests.ingest.test_any_body import spots
from tests.ingest.test_apprtc import FULL
from tests.ingest.test_segment_com import batch, item
from tests.ingest.webhook_messages import later, message

HAMUSTRO = HamustroOptions(shared_secret="s", signature="optional", masked_ip=True, trust_forwarded=True)
SEGMENT = SegmentOptions(webhook_secret="hook", signing_secret="s3cret", sources={"test-app": "mobile"})
SCHEMA = {"properties": {"host": {"type": "string", "pattern": "^w"}, "n": {"minimum": 1}}}
GOOD: list[tuple[str, Any]] = [
    ("/p/shop/a/", FULL),
    ("/p/shop/api/v1/track", layout_1(PAYLOAD)),
    (
        "/p/shop/api/v1/track",
        layout_2({**PAYLOAD, "ip": "1.2.3.4", "parameters": [{"name": "a", "value": "b"}]}),
    ),
    ("/p/shop/segmentio/event?key=hook", message()),
    ("/p/shop/segmentio/v2/event?key=hook&%ff=%00", later()),
    ("/v1/track", item(writeKey="shop", messageId=None)),
    ("/v1/batch", batch(item(messageId=None), item(type="page"), context={"a": 1})),
    ("/p/shop/segment/webhook", [item(messageId=None), {"type": "delete", "userId": "u-2"}]),
    (URL, event()),
    (URL, [event(id="e1"), event()]),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        2**64,
        10**30,
        1e308,
        5e-324,
        -0.0,
        [],
        {},
        [[]],
        {"": ""},
        {"\0": "\0"},
    ),
    *(
        "",
        " ",
        "10",
        "nan",
        "\0",
        "a\0b",
        "\ud800",
        "x" * 5000,
        "é😀",
        "\u202e",
        [1] * 300,
        {"a": {"b": [{}]}},
    ),
    *("9999-12-31T23:59:59+23:59", "0001-01-01T00:00:00"),
]
HEADERS = [
    *({"X-Forwarded-For": value} for value in (b"1.2.3.4, ::1", b"\xff", b"," * 50, b"999.1.1.1")),
    *({"Host": value} for value in (b"a:b:c", b"[::1]:80", b"\xff", b"")),
    *({"Authorization": b"Basic " + value} for value in (b"\xff", base64.b64encode(b"\0:"), b"c2hvcA==")),
    *(
        {"Content-Type": value}
        for value in (b"text/plain", b"", b"application/protobuf", b"application/json; \xff")
    ),
]


def spoiled(dice: random.Random, good: Any) -> bytes:
    """A good body with some members changed or left out, sometimes cut, packed or broken."""
    body = copy.deepcopy(good)
    for _ in range(dice.randrange(1, 4)):
        way = dice.choice(spots(body) or [()])
        target = body
        with contextlib.suppress(KeyError, IndexError, TypeError):  # what was replaced before has no members
            for key in way[:-1]:
                target = target[key]
            if dice.random() < 0.2:
                del target[way[-1]]
            else:
                target[way[-1]] = copy.deepcopy(dice.choice(VALUES))
    content = json.dumps(body).encode()
    return dice.choice(
        [
            *[content] * 7,
            content[: len(content) // 2],
            gzip.compress(content),
            content.replace(b"a", b"\xff", 1),
        ]
    )


async def send_spoiled(site: Site, dice: random.Random) -> None:
    path, good = dice.choice(GOOD)
    content = spoiled(dice, good)
    headers = {
        "Content-Type": b"application/json",
        "X-Project-Key": b"shop",
        "X-Signature": hmac.new(b"s3cret", content, hashlib.sha1).hexdigest().encode(),
    }
    if dice.random() < 0.3:
        headers |= dice.choice(HEADERS)
    raw = [(name.encode(), value) for name, value in headers.items()]
    got = await site.client.post(path, content=content, headers=raw)
    assert got.status_code < 500, (path, content[:300], headers, got.text)


@pytest.mark.parametrize("seed", range(2))
async def test_spoiled_requests(make_site, seed: int) -> None:
    dice = random.Random(seed)
    site = await make_site()
    project = await site.project(hamustro=HAMUSTRO, segment=SEGMENT)
    await site.services.projects.put_users(project.project_id, [ProjectUser(10, "alice")])
    await site.client.put("/api/v1/schemas/party?project=shop", json=SCHEMA, headers=ADMIN)
    for _ in range(150):
        await send_spoiled(site, dice)
    await processed(site)
    found = await read_all(site)
    assert len(found) > 20
    for each in found:
        got = await site.client.get(f"{URL}/{quote(each['id'], safe='')}?project=shop", headers=ADMIN)
        assert (got.status_code, got.json()) == (200, each)
    for path in ("/api/v1/errors", "/api/v1/sessions"):
        assert (await site.client.get(f"{path}?project=shop&limit=1000", headers=ADMIN)).status_code == 200


async def processed(site: Site) -> None:
    """Until all records met their fate; none is in quarantine."""
    last = {**FULL, "event": {**FULL["event"], "room_id": "last"}}
    assert (await site.client.post("/p/shop/a/", json=last)).json() == {"result": "SUCCESS"}
    arrived = "SELECT EXISTS (SELECT FROM events WHERE session_id = 'last')"
    async with asyncio.timeout(30):
        while True:
            await site.worker.once()
            found = await balances(site.services.db)
            if found and not found[0].pending and await site.services.db.fetchval(arrived):
                break
            await asyncio.sleep(0.02)
    assert (found[0].quarantined, found[0].difference) == (0, 0)


async def read_all(site: Site) -> list[dict[str, Any]]:
    """Every event, page by page."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"project": "shop", "limit": 50}
    while True:
        page = (await site.client.get(URL, params=query, headers=ADMIN)).json()
        found += page["events"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(found) == await site.services.db.fetchval("SELECT count(*) FROM events")
    return found
