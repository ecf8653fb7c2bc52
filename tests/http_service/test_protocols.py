"""The collectors' protocols over HTTP, from a request to what the query API shows."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from http_service.app import build_app
from ingest.hamustro import sign
from projects import ProjectUser
from projects.model import HamustroOptions, SegmentOptions
from tests.http_service.conftest import ADMIN, CONTRACT, Site
from tests.http_service.test_replays_api import record
from tests.ingest.hamustro_requests import EXAMPLE_2, EXAMPLE_3, EXAMPLE_4, SECRET
from tests.ingest.test_segment_com import item
from tests.ingest.webhook_messages import later, message

SEGMENT = SegmentOptions(webhook_secret="hook", signing_secret="", sources={"test-app": "mobile"})
WEBHOOK = "/segmentio/event"


async def stored(site: Site, records: int, source: str, key: str = "shop") -> list[dict[str, Any]]:
    """Events of a source, once so many records are processed."""
    await site.work(records)
    query = {"project": key, "source": source}
    got = await site.client.get("/api/v1/events", params=query, headers=ADMIN)
    assert got.status_code == 200, got.text
    events: list[dict[str, Any]] = got.json()["events"]
    return events


# -- AppRTC

REPORT = {
    "type": "event",
    "request_time_ms": 10000.0,
    "client_type": 4,
    "event": {"event_type": 3, "event_time_ms": 8000.0, "room_id": "foo", "flow_id": 1337},
}


@pytest.mark.parametrize("prefix", ["/p/shop", "/ingest/p/shop"])
async def test_an_apprtc_event(site, prefix) -> None:
    got = await site.client.post(f"{prefix}/a/", content=json.dumps(REPORT))
    assert (got.status_code, got.json()) == (200, {"result": "SUCCESS"})
    (event,) = await stored(site, 1, "apprtc")
    assert (event["session_id"], event["name"]) == ("foo", "ICE_CONNECTION_STATE_CONNECTED")
    assert event["data"]["host"] == "test"
    assert event["data"]["client_type"] == "ANDROID"


async def test_apprtc_refusals_are_200_and_nothing_is_deduplicated(site) -> None:
    for content in ("", "{", json.dumps({**REPORT, "type": "crazy_brains"})):
        got = await site.client.post("/p/shop/a/", content=content)
        assert (got.status_code, got.json()) == (200, {"result": "INVALID_REQUEST"})
    for _ in range(3):
        await site.client.post("/p/shop/a/", content=json.dumps(REPORT))
    assert len(await stored(site, 3, "apprtc")) == 3
    assert (await site.client.get("/p/shop/a/")).status_code == 405


@pytest.mark.parametrize("path", ["/a/", "/api/v1/track", "/api/flush", WEBHOOK, "/segment/webhook"])
async def test_without_a_project_nothing_is_taken(make_site, path) -> None:
    site = await make_site()
    assert (await site.client.post(path)).status_code == 404
    assert (await site.client.post(f"/p/absent{path}")).status_code == 404


async def test_the_default_project(make_site) -> None:
    site = await make_site(default_project="shop")
    await site.project()
    assert (await site.client.post("/a/", content=json.dumps(REPORT))).json() == {"result": "SUCCESS"}
    assert len(await stored(site, 1, "apprtc")) == 1


# -- Hamustro


def signed(body: bytes, content_type: str = "application/protobuf") -> dict[str, str]:
    return {
        "X-Hamustro-Time": "1486740000",
        "X-Hamustro-Signature": sign(body, "1486740000", SECRET),
        "Content-Type": content_type,
    }


async def test_hamustro_collections_of_both_layouts(make_site) -> None:
    site = await make_site()
    await site.project(hamustro=HamustroOptions(shared_secret=SECRET, masked_ip=True))
    for body, content_type in (
        (EXAMPLE_2, "application/protobuf"),
        (EXAMPLE_3, "application/json"),
        (EXAMPLE_4, "application/protobuf"),
    ):
        got = await site.client.post("/p/shop/api/v1/track", content=body, headers=signed(body, content_type))
        assert (got.status_code, got.content) == (200, b"")
    events = await stored(site, 3, "hamustro")
    assert [event["name"] for event in events] == ["Client.CreateUser"] * 3
    assert {event["session_id"] for event in events} == {
        "f60d209a60307f1de162a91347395f65",
        "e480d18e37b0b40a0cac13c3544a04cc",
    }
    assert {event["timestamp"] for event in events} == {"2016-02-05 14:05:04.000000"}
    assert {event["user_id"] for event in events} == {"97421193"}
    assert [event["data"]["ip"] for event in events] == ["214.160.227.0", "203.0.113.0", "203.0.113.0"]


async def test_hamustro_refusals(site) -> None:
    path = "/p/shop/api/v1/track"
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
        got = await site.client.request(method, path)
        assert (got.status_code, got.content, "allow" in got.headers) == (405, b"", False)
    for headers in ({}, {"X-Hamustro-Time": "1"}, signed(EXAMPLE_4)):
        got = await site.client.post(path, content=EXAMPLE_4, headers=headers)
        assert (got.status_code, got.content) == (405, b"")
    assert (await site.client.post("/p/shop/API/v1/track")).status_code == 404
    assert (await site.client.post("/p/shop/api/v1/track/")).status_code == 404


@pytest.mark.parametrize("time", ["não é hora".encode(), b"\xff\xfe", b"not a time"])
async def test_hamustro_signs_the_bytes_of_the_time_header(site, time) -> None:
    """spec/hamustro.md 3: its text enters exactly as it is."""
    inner = hashlib.md5(EXAMPLE_4, usedforsecurity=False).hexdigest().encode()
    secret = (await site.services.projects.by_key("shop")).options.hamustro.shared_secret.encode()
    digest = hashlib.sha256(time + b"|" + inner + b"|" + secret).digest()
    headers = [
        (b"X-Hamustro-Time", time),
        (b"X-Hamustro-Signature", base64.b64encode(digest)),
        (b"Content-Type", b"application/protobuf"),
    ]
    got = await site.client.post("/p/shop/api/v1/track", content=EXAMPLE_4, headers=headers)
    assert (got.status_code, got.content) == (200, b"")


async def test_verbose_mode_tells_why(make_site) -> None:
    site = await make_site(log_level="debug")
    await site.project()
    got = await site.client.post("/p/shop/api/v1/track")
    assert (got.status_code, got.json()) == (405, {"error": "X-Hamustro-Time header is missing"})


async def test_a_collector_that_is_stopping(make_site) -> None:
    """503 before everything, any method; alive still, ready no more, and what other protocols bring is kept."""
    site = await make_site(log_level="debug")
    await site.project("keyed", hamustro=HamustroOptions(maintenance_key="mk"))
    stopping = asyncio.Event()
    transport = httpx.ASGITransport(build_app(site.services, stopping))
    hooks = {"response": [CONTRACT.check]}
    async with httpx.AsyncClient(transport=transport, base_url="http://t", event_hooks=hooks) as client:
        assert (await client.get("/p/keyed/api/v1/track")).status_code == 405
        assert (await client.post("/api/v1/track")).status_code == 404
        assert (await client.get("/readyz")).json()["status"] == "ready"
        stopping.set()
        for method in ("GET", "POST", "PUT"):
            for path in ("/p/keyed/api/v1/track", "/api/v1/track", "/p/keyed/api/flush"):
                got = await client.request(method, path)
                assert (got.status_code, got.json()) == (503, {"error": "Server is currenly shutting down"})
        assert (await client.get("/api/health")).json() == {"up": True}
        got = await client.get("/readyz")
        assert (got.status_code, got.json()["status"]) == (503, "stopping")
        assert (await client.post("/p/keyed/a/", content=json.dumps(REPORT))).json() == {"result": "SUCCESS"}
    assert len(await stored(site, 1, "apprtc", "keyed")) == 1


async def test_clients_of_early_2016_without_a_content_type(make_site) -> None:
    site = await make_site()
    await site.project(hamustro=HamustroOptions(shared_secret=SECRET, assume_protobuf=True))
    headers = signed(EXAMPLE_2)
    del headers["Content-Type"]
    got = await site.client.post("/p/shop/api/v1/track", content=EXAMPLE_2, headers=headers)
    assert got.status_code == 200


async def test_a_signed_time_that_is_too_old_is_refused_where_that_is_set(make_site) -> None:
    site = await make_site()
    await site.project(hamustro=HamustroOptions(shared_secret=SECRET, max_skew_s=300))
    for age_s, status in ((0, 200), (-290, 200), (400, 405)):
        moment = str(site.clock() // 1000 - age_s)
        headers = signed(EXAMPLE_4) | {
            "X-Hamustro-Time": moment,
            "X-Hamustro-Signature": sign(EXAMPLE_4, moment, SECRET),
        }
        got = await site.client.post("/p/shop/api/v1/track", content=EXAMPLE_4, headers=headers)
        assert (got.status_code, got.content) == (status, b"")


async def test_hamustro_bodies_of_several_mib(make_site) -> None:
    site = await make_site()
    await site.project(hamustro=HamustroOptions(shared_secret=SECRET))
    body = json.loads(EXAMPLE_3)
    body["payloads"][0]["parameters"][0]["value"] = "x" * 3_000_000
    large = json.dumps(body).encode()
    path = "/p/shop/api/v1/track"
    got = await site.client.post(path, content=large, headers=signed(large, "application/json"))
    assert got.status_code == 200
    larger = bytes(8_000_001)
    assert (await site.client.post(path, content=larger, headers=signed(larger))).status_code == 413


async def test_health_and_flush(make_site) -> None:
    site = await make_site()
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"):
        got = await site.client.request(method, "/api/health")
        assert (got.status_code, got.content) == (200, b'{"up":true}')
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    got = await site.client.options("/api/health", headers=preflight)
    assert (got.status_code, got.headers["access-control-allow-origin"], got.content) == (200, "*", b"")
    await site.project()
    assert (await site.client.post("/p/shop/api/flush")).status_code == 503
    await site.project("keyed", hamustro=HamustroOptions(maintenance_key="mk"))
    path = "/p/keyed/api/flush"
    key = {"X-Hamustro-Maintenance-Key": hashlib.sha256(b"mk").hexdigest()}
    assert (await site.client.get(path, headers=key)).status_code == 405
    assert (await site.client.post(path)).status_code == 405
    got = await site.client.post(path, headers=key)
    assert (got.status_code, got.content) == (200, b"")


# -- edX webhooks


@pytest.fixture
async def hooked(make_site) -> Site:
    site: Site = await make_site()
    project = await site.project(segment=SEGMENT)
    await site.services.projects.put_users(project.project_id, [ProjectUser(10, "alice")])
    return site


@pytest.mark.parametrize("path", [WEBHOOK, "/p/shop/segmentio/event", "/ingest/p/shop/segmentio/v2/event"])
async def test_the_webhooks_take_post_alone(hooked, path) -> None:
    """spec/segment-webhook.md 1.2, row 1, before anything else, and 2.1."""
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"):
        got = await hooked.client.request(method, path, content=b"{")
        assert (got.status_code, got.headers["allow"]) == (405, "POST")


async def test_the_first_webhook(hooked) -> None:
    for query in ("", "?key=wrong", "?key=hook&key=wrong", "?key=HOOK"):
        got = await hooked.client.post(f"/p/shop{WEBHOOK}{query}", json=message())
        assert (got.status_code, got.json()) == (401, {"committed": False, "message": "Unauthorized"})
    path = f"/ingest/p/shop{WEBHOOK}?key=wrong&key=hook"
    for body in (b"{", b"[]"):
        got = await hooked.client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (got.status_code, got.json()) == (400, {"error": "Invalid JSON"})
    got = await hooked.client.post(path, json=message(userId=40))
    assert got.json() == {"committed": False, "message": "Specified user does not exist"}
    got = await hooked.client.post(path, json=message(), headers={"Host": "edx.example:8000"})
    assert (got.status_code, got.json()) == (200, {"committed": True})
    (event,) = await stored(hooked, 1, "segmentio")
    assert (event["session_id"], event["user_id"], event["name"]) == (None, "10", "str")
    assert event["timestamp"] == "2014-08-27 16:33:39.215000"
    assert event["data"]["username"] == "alice"
    assert event["data"]["host"] == "edx.example"
    assert event["data"]["context"]["path"] == f"/ingest/p/shop{WEBHOOK}"


async def test_the_later_webhook(hooked) -> None:
    path = "/p/shop/segmentio/v2/event"
    got = await hooked.client.post(path, json=later())
    assert (got.status_code, got.content) == (401, b"")
    for body in (later(type="page"), later(userId=40), later(), later()):
        got = await hooked.client.post(f"{path}?key=hook", json=body)
        assert (got.status_code, got.content) == (200, b"")
    events = await stored(hooked, 2, "segmentio")
    assert [event["name"] for event in events] == ["edx.done", "edx.done"]


async def test_a_webhook_that_is_sent_again_is_stored_once(hooked) -> None:
    for _ in range(3):
        await hooked.client.post(f"/p/shop{WEBHOOK}?key=hook", json=message(messageId="m"))
    assert len(await stored(hooked, 3, "segmentio")) == 1


# -- Segment's tracking API


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


async def test_a_batch_of_the_python_library(site) -> None:
    body = json.dumps({"batch": [item(), item(userId=None)], "writeKey": "shop"}).encode()
    headers = basic("shop") | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for _ in range(2):
        got = await site.client.post("/v1/batch", content=gzip.compress(body), headers=headers)
        assert got.status_code == 200
        assert got.json() == {"success": True, "rejected": [{"index": 1, "code": "no_user_anon_id"}]}
    (event,) = await stored(site, 2, "segment")
    assert (event["category"], event["name"], event["user_id"]) == ("track", "Bought", "u-1")
    assert event["id"] == item()["messageId"]


@pytest.mark.parametrize("path", ["track", "identify", "page", "screen", "group", "alias", "import"])
async def test_every_call(site, path) -> None:
    body: dict[str, Any] = {"userId": "u", "event": "e", "context": {"sessionId": "s-1"}}
    if path == "import":
        body = {"batch": [{**body, "type": "page"}]}
    got = await site.client.post(f"/ingest/v1/{path}", json={**body, "writeKey": "shop"})
    assert (got.status_code, got.json()) == (200, {"success": True})
    (event,) = await stored(site, 1, "segment")
    assert event["category"] == ("page" if path == "import" else path)
    assert event["session_id"] == "s-1"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {}),
        ({}, {"writeKey": "absent"}),
        (basic("absent"), {"writeKey": "shop"}),
        (basic("absent"), "{"),
        ({"Authorization": "Bearer shop"}, {}),
    ],
)
async def test_unknown_write_keys(site, headers, body) -> None:
    content = body if isinstance(body, str) else json.dumps(item(**body))
    got = await site.client.post("/v1/track", content=content, headers=headers)
    assert (got.status_code, got.json()["code"]) == (401, "invalid_write_key")


async def test_the_key_before_the_path_is_a_write_key_too(site) -> None:
    assert (await site.client.post("/p/shop/v1/track", json=item())).status_code == 200


async def test_refusals_have_code_and_message(site) -> None:
    for path, content, wanted in (
        ("track", b"{", "invalid_json"),
        ("track", b"[]", "invalid_body"),
        ("track", json.dumps({"userId": "u"}).encode(), "missing_event"),
        ("track", b'"' + b"x" * 40_000 + b'"', "payload_too_large"),
        ("batch", b'"' + b"x" * 2_000_000 + b'"', "payload_too_large"),
        ("batch", bytes(8_000_001), "payload_too_large"),
        ("batch", json.dumps({"batch": [item(), item(event="x" * 40_000)]}).encode(), "payload_too_large"),
    ):
        got = await site.client.post(f"/v1/{path}", content=content, headers=basic("shop"))
        assert (got.status_code, got.json()["code"]) == (400, wanted)


async def test_a_server_under_pressure_says_when_to_try_again(make_site) -> None:
    site = await make_site(journal_inflight_bytes=100)
    await site.project()
    for path in ("/v1/track", "/v1/batch", "/p/shop/segment/webhook"):
        got = await site.client.post(path, json=item(), headers=basic("shop"))
        assert (got.status_code, got.json()["code"]) == (503, "overloaded")
        assert got.json().keys() == {"code", "message"}
        assert got.headers["retry-after"] == "5"


# -- webhook destination


async def test_the_webhook_destination(make_site) -> None:
    site = await make_site()
    await site.project(segment=SegmentOptions(signing_secret="s3cret"))
    first = json.dumps(item())
    body = f"[{first}, {json.dumps(item(messageId='2'))}]".encode()
    good = hmac.new(b"s3cret", first.encode(), hashlib.sha1).hexdigest()
    for signature, status in (("", 401), ("x", 401), (good, 200)):
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        got = await site.client.post("/p/shop/segment/webhook", content=body, headers=headers)
        assert got.status_code == status
    assert len(await stored(site, 1, "segment")) == 2


async def test_a_signed_deletion_erases_the_user(make_site) -> None:
    site = await make_site()
    await site.project(segment=SegmentOptions(signing_secret="s3cret"))
    await record(site, user="u-1")
    bob = await record(site, user="bob")
    await site.work(6)
    body = json.dumps({"type": "delete", "userId": "u-1", "timestamp": "2026-01-02T10:00:00Z"}).encode()
    for signature, status in (("x", 401), (hmac.new(b"s3cret", body, hashlib.sha1).hexdigest(), 200)):
        headers = {"X-Signature": signature}
        got = await site.client.post("/p/shop/segment/webhook", content=body, headers=headers)
        assert got.status_code == status
    replays = (await site.client.get("/api/v1/replays", headers=ADMIN)).json()["replays"]
    assert [each["session_id"] for each in replays] == [bob]


async def test_an_erased_users_events_in_the_journal_are_dropped(site) -> None:
    """All that arrived before the erasure goes, of nobody else; what is sent afterwards is kept."""

    async def send(*user_ids: str) -> None:
        body = {"batch": [item(userId=each, messageId=None) for each in user_ids]}
        assert (await site.client.post("/v1/batch", json=body, headers=basic("shop"))).status_code == 200

    await send("u-1", "bob")
    await send("u-1")
    await send("a\0b")
    for user_id in ("u-1", "a\ufffdb"):
        got = await site.client.delete(f"/api/v1/projects/shop/users/{quote(user_id)}", headers=ADMIN)
        assert got.status_code == 204
    assert [each["user_id"] for each in await stored(site, 3, "segment")] == ["bob"]
    site.clock.ahead_ms += 10
    await send("u-1")
    assert [each["user_id"] for each in await stored(site, 4, "segment")] == ["bob", "u-1"]


@pytest.mark.parametrize("user_id", ["a\0b", "\ud800"])
async def test_a_deletion_names_whom_it_will(make_site, user_id) -> None:
    site = await make_site()
    await site.project(segment=SegmentOptions(signing_secret="s3cret"))
    bodies = [item(userId=user_id), {"type": "delete", "userId": user_id}]
    for body in map(json.dumps, bodies):
        headers = {"X-Signature": hmac.new(b"s3cret", body.encode(), hashlib.sha1).hexdigest()}
        got = await site.client.post("/p/shop/segment/webhook", content=body, headers=headers)
        assert (got.status_code, got.json()) == (200, {"success": True})
    assert await stored(site, 1, "segment") == []


# -- users known to the project


async def test_users_over_http(site) -> None:
    path = "/api/v1/projects/shop/users"
    users = [{"id": 10, "username": "alice"}, {"id": 40, "username": "bob"}]
    got = await site.client.put(path, json={"users": users}, headers=ADMIN)
    assert (got.status_code, got.json()["users"]) == (200, users)
    await site.client.put(path, json={"users": [{"id": 40, "username": "Bob"}]}, headers=ADMIN)
    got = await site.client.get(path, headers=ADMIN)
    assert got.json() == {"users": [users[0], {"id": 40, "username": "Bob"}], "next_cursor": None}
    page = (await site.client.get(path, params={"limit": 1}, headers=ADMIN)).json()
    assert (page["users"], page["next_cursor"]) == (users[:1], "10")
    got = await site.client.get(path, params={"limit": 1, "cursor": "10"}, headers=ADMIN)
    assert [user["id"] for user in got.json()["users"]] == [40]
    assert got.json()["next_cursor"] is None, "there are no more"


@pytest.mark.parametrize(
    "users",
    [
        None,
        [{"id": 0, "username": "x"}],
        [{"id": "10", "username": "x"}],
        [{"id": 10, "username": ""}],
        [{"id": 10}],
        [{"id": 2**63, "username": "x"}],
    ],
)
async def test_users_that_are_refused(site, users) -> None:
    got = await site.client.put("/api/v1/projects/shop/users", json={"users": users}, headers=ADMIN)
    assert got.status_code == 422


async def test_a_read_key_may_not_name_users(site) -> None:
    reads = await site.key(await site.services.projects.by_key("shop"), "read")
    path = "/api/v1/projects/shop/users"
    assert (await site.client.put(path, json={"users": []}, headers=reads)).status_code == 403
    assert (await site.client.get(path, headers=reads)).json() == {"users": [], "next_cursor": None}
