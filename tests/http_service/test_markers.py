"""Marker strings in every slot, every error path, lines at debug: none in a log, a metric, an error, a dead letter."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import structlog

from http_service.openapi import shown_path
from http_service.routes import OPERATIONS
from messages import encode, encode_batch, frame_bytes
from messages.schema import (
    MobileCrash,
    MobileEvent,
    MobileInputEvent,
    MobileLog,
    MobileNetworkCall,
    MobileUserID,
)
from playhead.telemetry import configure_logging
from tests.flows.test_processing import multipart, upload
from tests.http_service.conftest import ADMIN, Site, bearer

MARK = "Marker7f3a"  # what must not come out again
SHOWN = "Shown5e1c"  # in addresses: an answer may repeat it to whoever asked, a log line not
HEADERS = {
    "Authorization": f"Bearer {MARK}-credential", "X-Project-Key": f"{MARK}-key", "Cookie": f"playhead={MARK}-cookie",
    "X-Signature": f"{MARK}-signature", "X-Forwarded-For": f"{MARK}-address", "X-Request-ID": f"{MARK} no id",
    "User-Agent": f"{MARK}-agent", "Referer": f"http://x/{MARK}-referer", "Origin": f"http://{MARK}-origin",
    "Content-Type": f"application/json; {MARK}=type", "Accept": f"{MARK}/accept", "If-None-Match": f'"{MARK}"',
}  # fmt: skip


@pytest.fixture
def _talkative() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("debug", as_json=True)
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


class Checked:
    """Requests whose error answers are looked at."""

    def __init__(self, site: Site) -> None:
        self.site, self.refusals = site, 0

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer: httpx.Response = await self.site.client.request(method, path, **request)
        if answer.status_code >= 400:
            self.refusals += 1
            assert MARK.lower() not in answer.text.lower(), (method, path, answer.text)
            assert not any(MARK in value for value in answer.headers.values()), (method, path)
        return answer


def messages(at_ms: int) -> list[bytes]:
    """Recorded text of many kinds, some of it damaged."""
    good = (
        MobileLog("error", MARK), MobileEvent(MARK, f'{{"{MARK}": "{MARK}"}}'), MobileUserID(MARK),
        MobileCrash(MARK, MARK, f"0 App {MARK}"), MobileInputEvent(MARK, True, MARK),
        MobileNetworkCall("request", MARK, f"https://x/?token={MARK}", MARK, MARK, 500, 12),
    )  # fmt: skip
    broken = [frame_bytes(kind, at_ms, MARK.encode()) for kind in (92, 93, 94, 100, 105, 199)]
    return [*(encode(each, timestamp=at_ms) for each in good), *broken]


async def every_route(checked: Checked) -> None:
    """All operations with marks in every place, with and without a credential."""
    body = orjson.dumps(
        {name: MARK for name in ("projectKey", "name", "key", "token", "event", "events", "userId")}
    )
    for operation in OPERATIONS:
        path = re.sub(r"{\w+}", SHOWN, shown_path(operation))
        fields = list(operation.query.model_fields) if operation.query else ["x"]
        query = {name: SHOWN for name in [*fields, "key"]}
        for headers in (HEADERS, HEADERS | ADMIN):
            for content in (body, f'{{"{MARK}'.encode(), orjson.dumps([{"a": MARK}])):
                await checked.ask(operation.method, path, params=query, headers=headers, content=content)


async def recorded_content(checked: Checked) -> int:
    """A session whose uploads are full of marks, readable and not -> records."""
    started = (
        await checked.ask("POST", "/v1/mobile/start", json={
            "projectKey": "shop", "trackerVersion": "1.0.22", "timestamp": 1, "userUUID": MARK, "userDevice": MARK,
            "performances": {MARK: MARK}, "timezone": MARK,
        })
    ).json()  # fmt: skip
    at_ms = checked.site.clock()
    batch = encode_batch(0, at_ms, messages(at_ms))
    for content in (batch, gzip.compress(batch)[:-9], MARK.encode() * 9, b"\xff" + MARK.encode()):
        answer = await checked.ask("POST", "/v1/mobile/i", content=content, headers=bearer(started["token"]))
        assert answer.status_code == 200
    uploads = [
        upload(f"{MARK}.tar.gz", [at_ms], MARK.encode()), multipart([(MARK, MARK, MARK.encode())]),
        (MARK.encode(), {"content_type": "multipart/form-data; boundary=b"}),
    ]  # fmt: skip
    for content, meta in uploads:
        headers = bearer(started["token"]) | {"Content-Type": meta["content_type"]}
        assert (
            await checked.ask("POST", "/v1/mobile/images", content=content, headers=headers)
        ).status_code == 200
    return 1 + 4 + len(uploads)


async def refused_events(checked: Checked) -> None:
    """Events of all protocols, wrong in ways that their senders are told of."""
    schema = {"properties": {"n": {"minimum": 1, "type": "integer"}}, "required": ["m"]}
    await checked.ask("PUT", "/api/v1/schemas/orders?project=shop", json=schema, headers=ADMIN)
    event = {"session_id": "s", "category": "orders", "name": "n", "timestamp": MARK, "data": {"n": MARK}}
    dated = {**event, "timestamp": "2026-01-01T00:00:00Z"}
    sent: Any
    for sent in (event, [event, {"surplus": MARK}], MARK, dated):
        await checked.ask("POST", "/api/v1/events?project=shop", json=sent, headers=ADMIN)
    for path in (
        "/p/shop/a/",
        "/p/shop/api/v1/track",
        "/p/shop/segmentio/event",
        "/v1/batch",
        "/v1/identify",
    ):
        for sent in ({"writeKey": MARK, "type": MARK, "event": MARK}, MARK, [{"userId": MARK, "type": MARK}]):
            await checked.ask("POST", path, json=sent)


async def broken_services(checked: Checked) -> None:
    """The database refuses rows and tables; what it says of them holds their content."""
    db = checked.site.services.db
    await db.execute("ALTER TABLE dead_letters RENAME TO gone")
    await checked.ask("GET", f"/api/v1/dead-letters?cursor=1&project={SHOWN}", headers=ADMIN)
    await checked.ask("GET", "/api/v1/dead-letters", headers=ADMIN)
    await db.execute("ALTER TABLE gone RENAME TO dead_letters")
    await db.execute(f"ALTER TABLE sessions ADD CONSTRAINT poison CHECK (device_model <> '{MARK}')")


@pytest.mark.usefixtures("_talkative")
async def test_no_mark_comes_out_where_operators_and_strangers_look(
    make_site: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    site: Site = await make_site(log_level="debug")
    await site.project()
    checked = Checked(site)
    await every_route(checked)
    await refused_events(checked)
    await broken_services(checked)
    records = await recorded_content(checked)
    for _ in range(6):  # each failure of the poisoned session puts the next try off
        await site.worker.once()
        site.clock.ahead_ms += 20_000
    await site.work(records)
    assert checked.refusals > 200
    metrics = (await checked.ask("GET", "/metrics")).text
    letters = (await checked.ask("GET", "/api/v1/dead-letters?limit=1000", headers=ADMIN)).json()[
        "dead_letters"
    ]
    assert len(letters) >= 4
    assert any(letter["reason"].startswith("failed: ") for letter in letters)
    out, err = capfd.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("{")]
    assert any('"record_failed"' in line for line in lines)
    assert any('"request_failed"' in line for line in lines)
    for place, text in (("log", out + err), ("metrics", metrics), ("dead letters", str(letters))):
        for mark in (MARK, SHOWN):
            found = text.lower().find(mark.lower())
            assert found < 0, (place, text[max(0, found - 300) : found + 100])
