"""Requests that nobody sends by accident: never a 500, never a second request hidden in a body (faults 17, 23, 27)."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from http_service.auth import Access
from http_service.openapi import shown_path
from http_service.routes import OPERATIONS
from tests.http_service.conftest import ADMIN, bearer
from tests.http_service.serving import serving, talk
from tests.http_service.test_start import code

TEXTS = [
    "", "0", "-1", "1", "99999999999999999999", "1e5", "NaN", "null", "true", "a", "A" * 3000, "'", '"', "\\", "%",
    "\0", "a\0b", "\r\nX: y", "../..", "/", "//", "é", "😀", "\u202e", "\ufeff", "\ud800", "{}",
    "[]", "$1", ";--", "*", ",",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 2**64, 1.5, 1e308, *TEXTS[:-10], [], {}, [[]], [None], {"": ""},
]  # fmt: skip
NAMES = [
    "name", "key", "role", "sample_rate", "retention_days", "hamustro", "segment", "events", "conditions", "project",
    "limit", "cursor", "type", "from_ms", "metadata.", "metadata.a", "text", "url", "user_id", "sort", "projectKey",
    "timestamp", "width", "platform", "performances", "trackerVersion", "token", "\0", "é",
]  # fmt: skip


def value(dice: random.Random, depth: int = 3) -> Any:
    """A JSON value."""
    if depth and dice.random() < 0.3:
        inner = [value(dice, depth - 1) for _ in range(dice.randrange(3))]
        return inner if dice.random() < 0.5 else {dice.choice(NAMES): each for each in inner}
    return dice.choice(VALUES)


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("seed", range(4))
async def test_no_request_is_answered_500(site, seed):
    dice = random.Random(seed)
    started = await site.start()
    await site.work(1)
    token = started["token"]
    own = await site.key(await site.services.projects.by_key("shop"))
    real = {"key": "shop", "session_id": started["sessionID"], "project_id": started["projectID"]}
    closed = [
        each
        for each in OPERATIONS
        if (each.tag != "player" and each.access is not Access.PUBLIC) or each.body
    ]
    for _ in range(300):
        operation = dice.choice(closed)
        path = shown_path(operation)
        for name in operation.parameters:
            text = real[name] if name in real and dice.random() < 0.7 else dice.choice(TEXTS[1:])
            path = path.replace(f"{{{name}}}", encoded(text))
        known = list(operation.query.model_fields) if operation.query else []
        pairs = [
            (dice.choice([*known, *known, "metadata.a", ""]), dice.choice(TEXTS))
            for _ in range(dice.randrange(4))
        ]
        query = "&".join(f"{encoded(name)}={encoded(text)}" for name, text in pairs)
        known = list(operation.body.model_fields) if operation.body else NAMES
        body = {dice.choice([*known, *known, *NAMES]): value(dice) for _ in range(dice.randrange(5))}
        if dice.random() < 0.5:
            body |= {"projectKey": "shop", "trackerVersion": "9.9.9", "name": "x"}
        content = dice.choice([b"", b"[" * 50_000, b"\xff" * 100, str(body).encode("utf-8", "replace")])
        if dice.random() < 0.7:
            content = orjson.dumps(_plain(body))
        keys = [bearer(token)] if operation.access is Access.TRACKER else [ADMIN, ADMIN, own, bearer(token)]
        headers = dice.choice(keys) | {
            "Content-Type": dice.choice(["application/json", "", "multipart/x; boundary=b"])
        }
        got = await site.client.request(
            operation.method, f"{path}?{query}", headers=headers, content=content, timeout=30
        )
        assert got.status_code < 500, (seed, operation.method, path, query, content[:200], got.text)


def _plain(body: Any) -> Any:
    """What orjson can write: no lone surrogates, no integers beyond 64 bits."""
    if isinstance(body, str):
        return body.encode("utf-8", "replace").decode()
    if isinstance(body, dict):
        return {_plain(key): _plain(each) for key, each in body.items()}
    if isinstance(body, list):
        return [_plain(each) for each in body]
    return float(body) if isinstance(body, int) and body >= 2**64 else body


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5,5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
)
async def test_a_body_of_doubtful_length_ends_the_connection(site, head):
    """Whoever stands before us may have read it otherwise: nothing after it may count as a request."""
    token = (await site.start())["token"]
    hidden = f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Token: {token}\r\n\r\n".encode()
    async with serving(site.app) as (_, port):
        start = f"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
        raw = await talk(port, start + head + b"\r\n0\r\n\r\n" + hidden)
    assert raw.startswith(b"HTTP/1.1 400")
    assert raw.count(b"HTTP/1.1 ") == 1
    assert b'"status":"ok"' not in raw


async def test_deep_and_wide_json_is_refused_or_taken_but_bounded(site):
    for content in (b'{"a":' * 100_000, b"[" * 500_000, b'{"name":"x","hamustro":' + b'{"a":' * 5000):
        got = await site.client.post("/api/v1/projects", content=content, headers=ADMIN)
        assert code(got) == (400, "invalid_json")
        got = await site.client.post("/v1/mobile/start", content=content)
        assert code(got)[0] == 400
    wide = (
        b'{"projectKey":"shop","trackerVersion":"1.0.14",'
        + b",".join(b'"k%d":1' % n for n in range(60_000))
        + b"}"
    )
    assert (await site.client.post("/v1/mobile/start", content=wide)).status_code == 200
