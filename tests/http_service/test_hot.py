"""The append routes: every row of spec 1.4, token rules, limits, prefixes (faults 11, 27)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from typing import Any

import orjson
import pytest

from http_service.hot import PATHS
from playhead.errors import StorageUnavailable
from sessions.ids import started_ms
from sessions.tokens import Tokens
from tests.http_service.conftest import Site, bearer
from tests.http_service.serving import answer, connect, serving, until
from tests.http_service.test_start import code

BATCHES = [path for path, (kind, _) in PATHS.items() if kind != "images"]
IMAGES = [path for path, (kind, _) in PATHS.items() if kind == "images"]
DAY_MS = 86_400_000


def upload(filename: str = "1-2.tar.gz", content: bytes = b"\x1f\x8bxx") -> dict[str, Any]:
    """Arguments of a multipart request."""
    return {"data": {"projectKey": "shop"}, "files": {"batch": (filename, content, "gzip")}}


@pytest.mark.parametrize("path", BATCHES + ["/ingest" + path for path in BATCHES])
async def test_a_batch_is_kept_as_it_came(site, path):
    started = await site.start()
    body = gzip.compress(b"content")
    got = await site.client.post(path, content=body, headers=bearer(started["token"]))
    assert (got.status_code, got.content) == (200, b"")
    assert got.headers["access-control-allow-origin"] == "*"
    record = (await site.records(2))[1]
    assert record.kind == ("late" if "late" in path else "batch")
    assert (str(record.session_id), record.body) == (started["sessionID"], body)
    assert record.meta.get("layout") == ("legacy" if "/ios/" in path else None)
    assert record.meta["plt"] == "ios"
    assert record.meta["uid"] == started["userUUID"]


@pytest.mark.parametrize("path", IMAGES + ["/ingest" + path for path in IMAGES])
async def test_an_image_upload_is_kept_whole(site, path):
    started = await site.start()
    name = f"{started['sessionID']}-5.tar.gz"
    got = await site.client.post(path, headers=bearer(started["token"]), **upload(name))
    assert (got.status_code, got.content) == (200, b"")
    record = (await site.records(2))[1]
    assert record.kind == "images"
    assert record.meta["content_type"].startswith("multipart/form-data; boundary=")
    assert name.encode() in record.body


async def test_an_archive_of_another_session_is_a_stray(site):
    started = await site.start()
    got = await site.client.post(
        "/v1/mobile/images", headers=bearer(started["token"]), **upload("77-5.tar.gz")
    )
    assert got.status_code == 200
    assert (await site.records(2))[1].kind == "stray"


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data", "", "multipart/form-data; boundary="]
)
async def test_415_for_what_is_not_multipart(site, content_type):
    started = await site.start()
    headers = bearer(started["token"]) | {"Content-Type": content_type}
    got = await site.client.post("/v1/mobile/images", content=b"x", headers=headers)
    assert code(got) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content", [b"", b"garbage", b"--b\r\n\r\n", b"\x00" * 100_000])
async def test_content_never_refuses_an_upload_or_a_batch(site, content):
    started = await site.start()
    headers = bearer(started["token"])
    for path in BATCHES:
        assert (await site.client.post(path, content=content, headers=headers)).status_code == 200
    headers["Content-Type"] = "multipart/form-data; boundary=b"
    for path in IMAGES:
        assert (await site.client.post(path, content=content, headers=headers)).status_code == 200


@pytest.mark.parametrize("path", list(PATHS))
async def test_other_methods(site, path):
    got = await site.client.options(path)
    assert (got.status_code, got.content) == (200, b"")
    assert got.headers["cache-control"] == "max-age=86400"
    assert got.headers["access-control-allow-headers"] == "Content-Type,Authorization,Content-Encoding"
    for method in ("GET", "PUT", "DELETE", "PATCH", "BREW"):
        got = await site.client.request(method, path)
        assert code(got) == (405, "method_not_allowed")
        assert got.headers["allow"] == "OPTIONS, POST"


def token_of(
    secret: str, payload: dict[str, Any], alg: str = "HS256", head: dict[str, Any] | None = None
) -> str:
    """A JWT made by hand."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

    signed = f"{part({'alg': alg, 'typ': 'JWT', **(head or {})})}.{part(payload)}"
    made = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def forged(site: Site, good: str) -> list[str]:
    """Authorization values that open nothing."""
    now = site.clock() // 1000
    claims = {"sid": "5", "pid": 1, "iat": now, "exp": now + 60}
    secret = site.services.secrets.token_secrets[0]
    head, payload, signature = good.split(".")
    swapped = json.loads(base64.urlsafe_b64decode(payload + "=="))
    swapped["sid"] = "12345"
    other = base64.urlsafe_b64encode(orjson.dumps(swapped)).decode().rstrip("=")
    tokens = [
        "",
        "x",
        good[:-1],
        good + "A",
        f"{head}.{payload}.",
        f"{head}.{other}.{signature}",
        token_of("another server's secret", claims),
        token_of(secret, claims, alg="none"),
        token_of(secret, claims, alg="HS512"),
        token_of("", claims, head={"kid": "../../dev/null"}),
        token_of("x", claims, head={"kid": "x' UNION SELECT 'x"}),
        token_of(
            "x", claims, head={"jwk": {"kty": "oct", "k": "eA"}, "jku": "http://127.0.0.1/keys", "x5u": "x"}
        ),
        token_of("", claims),
        token_of(secret.upper(), claims),
        token_of(secret, claims | {"sid": "-1"}),
        token_of(secret, claims | {"sid": str(2**64)}),
        token_of(secret, {"sid": "5", "pid": 1}),
        "a" * 1_000_000,
        token_of(secret, claims | {"x": "y" * 1_000_000}),
        "ü.ü.ü",
    ]
    return [f"Bearer {token}" for token in tokens] + ["", good, f"Basic {good}", f"Token {good}"]


@pytest.mark.parametrize("path", list(PATHS))
async def test_401_without_a_token_that_we_signed(site, path):
    good = (await site.start())["token"]
    for value in forged(site, good):
        headers = {"Authorization": value.encode("utf-8"), "Content-Type": "multipart/form-data; boundary=b"}
        got = await site.client.post(path, content=b"x", headers=headers)
        assert code(got) == (401, "unauthorized"), value[:80]
    assert len(await site.records(1)) == 1


async def test_a_token_signed_by_an_older_secret_still_counts(make_site):
    site = await make_site(token_secrets="new-secret-of-32-characters-12345,old")
    project = await site.project()
    token = Tokens(["old"], site.clock).sign(4_000_000_000_000, project.project_id, lifetime_ms=60_000)
    assert (await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(token))).status_code == 200


async def test_a_token_with_the_four_public_claims_is_enough(site):
    project = await site.services.projects.by_key("shop")
    now = site.clock() // 1000
    secret = site.services.secrets.token_secrets[0]
    token = token_of(secret, {"sid": "77", "pid": project.project_id, "iat": now - 0.5, "exp": now + 60.5})
    assert (await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(token))).status_code == 200
    record = (await site.records(1))[0]
    assert (record.session_id, record.meta) == (77, {})


@pytest.mark.parametrize("after_s", [1, 29, 31, 10 * 86_400])
async def test_a_timed_out_token_from_ios(site, after_s):
    headers = bearer((await site.start())["token"])
    site.clock.ahead_ms += 7_200_000 + 1000 + after_s * 1000
    for path, (kind, _) in PATHS.items():
        got = await site.client.post(
            path, content=b"x", headers=headers | {"Content-Type": "multipart/x; boundary=b"}
        )
        if kind == "late":
            assert got.status_code == 200
        else:
            assert code(got) == (401, "token_timed_out")


async def test_a_timed_out_token_from_android_goes_on_in_one_follow_up_session(site):
    started = await site.start(platform="android")
    headers = bearer(started["token"]) | {"Content-Type": "multipart/form-data; boundary=b"}
    site.clock.ahead_ms += 7_200_000 + 5000
    paths = ["/v1/mobile/i", "/v1/mobile/images", "/v1/ios/append", "/v1/mobile/i", "/v1/mobile/late"]
    for path in paths:
        assert (await site.client.post(path, content=b"x", headers=headers)).status_code == 200
    records = (await site.records(6))[1:]
    *followed, late = records
    (session_id,) = {record.session_id for record in followed}
    assert str(session_id) != started["sessionID"]
    assert started_ms(session_id) >= started_ms(int(started["sessionID"])) + 7_200_000
    assert {str(record.meta["continues"]) for record in followed} == {started["sessionID"]}
    assert (str(late.session_id), "continues" in late.meta) == (started["sessionID"], False)


async def test_a_timed_out_token_that_names_no_platform_is_judged_by_its_session(site):
    started = await site.start(platform="android")
    await site.work(1)
    project = await site.services.projects.by_key("shop")
    secret = site.services.secrets.token_secrets[0]
    now = site.clock() // 1000
    claims = {"pid": project.project_id, "iat": now - 7200, "exp": now - 1}
    token = token_of(secret, claims | {"sid": started["sessionID"]})
    assert (await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(token))).status_code == 200
    unknown = token_of(secret, claims | {"sid": "99"})
    assert code(await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(unknown)))[0] == 401


async def test_past_the_grace_what_nobody_would_stop_sending_is_acknowledged_and_counted_as_expired(site):
    android = bearer((await site.start(platform="android"))["token"])
    ios = bearer((await site.start())["token"])
    site.clock.ahead_ms += 40 * DAY_MS
    multipart = {"Content-Type": "multipart/x; boundary=b"}
    for path, (kind, _) in PATHS.items():
        assert (await site.client.post(path, content=b"x", headers=android | multipart)).status_code == 200
        got = await site.client.post(path, content=b"x", headers=ios | multipart)
        assert got.status_code == (200 if kind == "late" else 401)
    records = [record for record in await site.records(2 + len(PATHS) + 2) if record.kind != "start"]
    assert {(record.kind, record.body) for record in records} == {("expired", b"")}


async def test_do_not_record_is_marked_for_the_worker(site):
    started = await site.start(doNotRecord=True)
    await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(started["token"]))
    assert (await site.records(1))[0].meta["dnr"] is True


async def test_a_project_that_is_inactive_still_takes_what_its_phones_send(site):
    started = await site.start()
    await site.client.patch(
        "/api/v1/projects/shop", json={"active": False}, headers=bearer("admin-key-of-tests")
    )
    assert (
        await site.client.post("/v1/mobile/i", content=b"x", headers=bearer(started["token"]))
    ).status_code == 200


async def test_413_by_the_declared_length_and_by_counting(make_site):
    site = await make_site(max_batch_bytes=1000, max_images_bytes=2000)
    await site.project()
    headers = bearer((await site.start())["token"])

    async def chunks(size: int) -> Any:
        for _ in range(0, size, 100):
            yield bytes(100)

    for content in (bytes(1001), chunks(1100)):
        got = await site.client.post("/v1/mobile/i", content=content, headers=headers)
        assert code(got) == (413, "payload_too_large")
    for content in (bytes(1000), chunks(1000)):
        assert (await site.client.post("/v1/mobile/i", content=content, headers=headers)).status_code == 200
    got = await site.client.post("/v1/mobile/images", headers=headers, **upload(content=bytes(3000)))
    assert code(got) == (413, "payload_too_large")


async def test_503_when_too_much_is_in_flight(make_site):
    site = await make_site(journal_inflight_bytes=3000)
    await site.project()
    headers = bearer((await site.start())["token"])
    got = await site.client.post("/v1/mobile/i", content=bytes(5000), headers=headers)
    assert code(got) == (503, "overloaded")
    assert got.headers["retry-after"] == "5"
    assert (await site.client.post("/v1/mobile/i", content=bytes(500), headers=headers)).status_code == 200


async def test_503_once_the_journal_is_closed(make_site):
    site = await make_site()
    await site.project()
    headers = bearer((await site.start())["token"])
    writer, site.services.journal._writer = site.services.journal._writer, None
    try:
        got = await site.client.post("/v1/mobile/i", content=b"x", headers=headers)
        assert code(got) == (503, StorageUnavailable.code)
    finally:
        site.services.journal._writer = writer


async def test_origins_by_the_setting(make_site):
    site = await make_site(cors_origins="https://a.example, https://b.example")
    await site.project()
    headers = bearer((await site.start())["token"])
    for origin, allowed in (
        ("https://b.example", "https://b.example"),
        ("https://c.example", None),
        (None, None),
    ):
        sent = headers | ({"Origin": origin} if origin else {})
        got = await site.client.post("/v1/mobile/i", content=b"x", headers=sent)
        assert got.headers.get("access-control-allow-origin") == allowed
        assert got.headers["vary"] == "Origin"


async def test_no_origin_header_when_switched_off(make_site):
    site = await make_site(cors_origins="")
    await site.project()
    headers = bearer((await site.start())["token"])
    got = await site.client.post("/v1/mobile/i", content=b"x", headers=headers)
    assert "access-control-allow-origin" not in got.headers


async def test_an_unknown_path_beside_them_is_404(site):
    for path in (
        "/v1/mobile/I",
        "/v1/mobile/i/",
        "/ingest/ingest/v1/mobile/i",
        "/v1/ios/appendix",
        "/p/shop/v1/mobile/i",
    ):
        assert code(await site.client.post(path, content=b"x")) == (404, "not_found")


async def test_a_client_that_leaves_leaves_nothing(site):
    token = (await site.start())["token"]
    async with serving(site.app) as (server, port):
        _, writer = await connect(port)
        head = f"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        writer.write(head.encode() + b"Content-Length: 9\r\n\r\nabc")
        await writer.drain()
        await until(lambda: len(server.server_state.tasks) == 1)
        writer.close()
        await until(lambda: not server.server_state.tasks)
    assert len(await site.records(1)) == 1


async def test_over_a_socket_chunked_and_in_a_pipeline(site):
    token = (await site.start())["token"]
    async with serving(site.app) as (_, port):
        reader, writer = await connect(port)
        head = f"POST /ingest/v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
        writer.write(head + b"Content-Length: 3\r\n\r\nabc")
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n")
        assert [(await answer(reader))[0] for _ in range(2)] == [200, 200]
        writer.close()
    assert [record.body for record in (await site.records(3))[1:]] == [b"abc", b"def"]


async def test_expect_100_with_a_body_too_large_is_answered_without_reading_it(site):
    token = (await site.start())["token"]
    async with serving(site.app) as (_, port):
        reader, writer = await connect(port)
        writer.write(
            f"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n".encode()
        )
        status, headers, body = await answer(reader)
        assert (status, headers["connection"]) == (413, "close")
        assert orjson.loads(body)["error"]["code"] == "payload_too_large"
        assert await reader.read() == b""
        writer.close()
