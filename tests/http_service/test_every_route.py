"""Promises that hold on every route, walked by the table of operations (spec/event-service.md 2, faults 12, 21, 22)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
import pytest
from openapi_schema_validator import OAS31Validator

from http_service.answers import ANSWERS
from http_service.auth import Access
from http_service.openapi import operation_id, shown_path
from http_service.operations import Operation
from http_service.routes import OPERATIONS
from playhead import errors
from tests.http_service.conftest import ADMIN, CONTRACT, Site, bearer
from tests.http_service.serving import serving
from tests.http_service.test_start import code

CLOSED = [each for each in OPERATIONS if each.access is not Access.PUBLIC]
SAMPLE = {
    "key": "shop",
    "id": "1",
    "session_id": "5",
    "at_ms": "1",
    "project_id": "1",
    "file": "x.js",
    "user_id": "u",
    "category": "c",
}


def name(operation: Operation) -> str:
    return operation_id(operation)


def url(operation: Operation, **values: str) -> str:
    """The operation's path with its parameters filled in."""
    return re.sub(r"\{(\w+)\}", lambda found: {**SAMPLE, **values}[found[1]], shown_path(operation))


async def call(site: Site, operation: Operation, headers: dict[str, str], **values: str) -> httpx.Response:
    headers = headers | (
        {"Content-Type": "multipart/form-data; boundary=b"} if operation.handle is None else {}
    )
    content = b"{}" if operation.body is not None else b""
    return await site.client.request(
        operation.method, url(operation, **values), headers=headers, content=content
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer phk_wrong"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "admin-key-of-tests"},
        {"X-Project-Key": "absent"},
        bearer("eyJhbGciOiJub25lIn0.eyJzaWQiOiI1IiwicGlkIjoxLCJpYXQiOjEsImV4cCI6OTk5OTk5OTk5OX0."),
    ],
    ids=repr,
)
async def test_401_without_a_good_credential(site, headers):
    for operation in CLOSED:
        got = await call(site, operation, headers)
        assert code(got) == (401, "unauthorized"), name(operation)
        assert got.headers["www-authenticate"] == "Bearer"


async def test_a_session_token_opens_nothing_else_and_keys_are_none(site):
    token = (await site.start())["token"]
    own = await site.key(await site.services.projects.by_key("shop"))
    for operation in CLOSED:
        for headers in (ADMIN, own) if operation.access is Access.TRACKER else (bearer(token),):
            assert code(await call(site, operation, headers)) == (401, "unauthorized"), name(operation)


async def test_another_projects_ids_are_not_there(site):
    """Not 403, and no other answer than for what never was."""
    other = await site.project("other")
    started = await site.start()
    await site.work(1)
    headers = await site.key(other)
    for operation in CLOSED:
        if (
            operation.access is Access.TRACKER
            or not operation.parameters
            or "category" in operation.parameters
        ):
            continue  # a category has no owner but the caller
        foreign = await call(site, operation, headers, key="shop", session_id=started["sessionID"])
        absent = await call(site, operation, headers, key="absent", session_id="6")
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content), name(operation)
        if operation.access is not Access.ADMIN or "key" in operation.parameters:
            assert foreign.status_code == 404, name(operation)


async def test_other_methods_are_405_with_allow(site):
    for operation in OPERATIONS:
        if operation.any_method:
            continue
        taken = {each.method for each in OPERATIONS if each.path == operation.path}
        got = await site.client.request("BREW", url(operation))
        assert code(got) == (405, "method_not_allowed"), name(operation)
        allowed = set(got.headers["allow"].split(", "))
        assert allowed == taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set())


async def test_only_ingest_answers_under_its_prefix(site):
    for operation in OPERATIONS:
        got = await site.client.request(operation.method, "/ingest" + url(operation), content=b"{}")
        if operation.ingest or operation.prefixed:
            assert "no such route" not in got.text, name(operation)
        else:
            assert code(got) == (404, "not_found"), name(operation)
        got = await site.client.request(operation.method, "/p/shop" + url(operation), content=b"{}")
        assert ("no such route" in got.text) == (not operation.no_project), name(operation)


async def test_ingest_routes_answer_browsers_of_any_origin(site):
    for operation in OPERATIONS:
        for method in ("OPTIONS", operation.method) if operation.ingest else ():
            headers = {"Origin": "https://x.example"}
            got = await site.client.request(method, url(operation), content=b"", headers=headers)
            assert got.headers["access-control-allow-origin"] == "*", name(operation)


async def test_the_event_service_answers_under_the_ingest_prefix_and_not_to_other_origins(site):
    event = {"session_id": "s", "category": "c", "name": "n", "data": {}, "timestamp": "2021-09-26 09:15:27"}
    sent = await site.client.post(
        "/ingest/api/v1/events?project=shop", json={**event, "id": "e"}, headers=ADMIN
    )
    assert sent.status_code == 202
    await site.work(1)
    origin = ADMIN | {"Origin": "https://x.example"}
    for path in ("events", "events/e", "sessions", "sessions/s/events", "errors", "schemas"):
        asked = f"/api/v1/{path}?project=shop"
        plain, prefixed = [await site.client.get(p + asked, headers=origin) for p in ("", "/ingest")]
        assert (prefixed.status_code, prefixed.content) == (200, plain.content), path
        assert "access-control-allow-origin" not in prefixed.headers
    found = await site.client.post("/ingest/api/v1/events/query", json={"project": "shop"}, headers=ADMIN)
    assert found.json()["count"] == 1
    schema = "/ingest/api/v1/schemas/c?project=shop"
    assert (await site.client.put(schema, json={}, headers=ADMIN)).status_code == 201
    assert (await site.client.delete(schema, headers=ADMIN)).status_code == 204


async def test_browsers_may_send_the_headers_that_a_protocol_reads(site):
    always = ["Content-Type", "Authorization", "Content-Encoding"]
    for path, own in (
        ("/api/v1/events", ["X-Project-Key"]),
        ("/api/v1/track", ["X-Hamustro-Time", "X-Hamustro-Signature"]),
        ("/api/flush", ["X-Hamustro-Maintenance-Key"]),
        ("/segment/webhook", ["X-Signature"]),
        ("/v1/mobile/start", []),
        ("/v1/mobile/i", []),
    ):
        headers = {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
        got = await site.client.options(path, headers=headers)
        assert got.headers["access-control-allow-headers"].split(",") == always + own, path


@pytest.mark.parametrize(
    ("sent", "given"), [("abc-1", "abc-1"), ("a b\x01<", "[0-9a-f]{16}"), (None, "[0-9a-f]{16}")]
)
async def test_every_answer_carries_its_id_and_says_nosniff(site, sent, given):
    for operation in OPERATIONS:
        if operation.handle is None:
            continue
        headers = {"X-Request-ID": sent} if sent else {}
        got = await site.client.request(operation.method, url(operation), headers=headers)
        assert re.fullmatch(given, got.headers["x-request-id"])
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in got.headers["content-security-policy"]


async def test_an_unknown_route_is_404_in_the_one_shape(site):
    for path in (
        "/nothing",
        "/api/v1",
        "/api/v1/projects/",
        "/ingest",
        "/ingest/",
        "/p/x",
        "/API/v1/projects",
    ):
        assert code(await site.client.get(path)) == (404, "not_found")


def test_the_document_is_openapi_3_1_and_its_examples_fit():
    document = CONTRACT.document
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        OAS31Validator.check_schema(schema)
    seen = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert {f"{{{p['name']}}}" for p in operation["parameters"] if p["in"] == "path"} == set(
                re.findall(r"\{\w+\}", path)
            )
            bodies = [operation.get("requestBody", {})]
            for part in [*bodies, *operation["responses"].values()]:
                for content in part.get("content", {}).values():
                    if "example" in content:
                        CONTRACT.validate(content["schema"], content["example"])
                    for example in content.get("examples", {}).values():
                        CONTRACT.validate(content["schema"], example["value"])
            assert method == "get" or operation["responses"], path
    assert len(seen) == len(OPERATIONS)


def test_every_route_of_json_is_described_with_examples():
    for path, methods in CONTRACT.document["paths"].items():
        for method, operation in methods.items():
            good = [reply for status, reply in operation["responses"].items() if status[0] == "2"]
            for part in [operation.get("requestBody", {}), *good[:1]]:
                for kind, content in part.get("content", {}).items():
                    shown = {"example", "examples"} & set(content)
                    assert shown or "json" not in kind or path == "/openapi.json", (method, path, kind)


async def test_the_document_and_the_page_are_served(site):
    got = await site.client.get("/openapi.json")
    assert got.json()["paths"].keys() == CONTRACT.document["paths"].keys()
    page = await site.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for each in OPERATIONS:
        assert shown_path(each) in page.text
    assert not re.search(r"<script|<link|@import|(src|href|action)=.?(https?:)?//", page.text)


async def test_the_player_cannot_be_talked_into_other_files(site):
    assert (await site.client.get("/")).headers["content-type"].startswith("text/html")
    for path in (
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "..%2fpyproject.toml",
        "%2fetc%2fpasswd",
        "x" * 5000,
        "a%00.js",
    ):
        assert code(await site.client.get(f"/player/{path}"))[0] == 404


async def test_health_readiness_and_metrics(site):
    assert (await site.client.get("/healthz")).json() == {"status": "ok"}
    ready = await site.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert {name: each["state"] for name, each in ready.json()["dependencies"].items()} == {
        "database": "up",
        "objects": "up",
        "cache": "off",
        "journal": "up",
        "disk": "up",
    }
    await site.start()
    text = (await site.client.get("/metrics")).text
    assert 'playhead_http_requests_total{method="POST",route="/v1/mobile/start",status="200"}' in text


async def test_readiness_tells_what_is_away(site, monkeypatch, tmp_path):
    (tmp_path / "objects").rename(tmp_path / "away")
    (tmp_path / "objects").write_text("in the way")
    try:
        got = await site.client.get("/readyz")
    finally:
        (tmp_path / "objects").unlink()
        (tmp_path / "away").rename(tmp_path / "objects")
    assert (got.status_code, got.json()["status"]) == (503, "unavailable")
    assert got.json()["dependencies"]["objects"]["state"] == "down"
    assert got.json()["dependencies"]["objects"]["detail"]
    told = got.json()["dependencies"]
    assert {name for name, each in told.items() if each["mend"]} == {"objects", "journal"}


async def test_a_bug_is_a_bare_500_that_tells_nothing(site, capfd):
    """The database takes a table away; what is said of it goes to the log, without content."""
    await site.services.db.execute("ALTER TABLE dead_letters RENAME TO gone")
    got = await site.client.get("/api/v1/dead-letters", headers=ADMIN | {"X-Request-ID": "find-me"})
    assert code(got) == (500, "internal_error")
    assert "dead_letters" not in got.text and "Traceback" not in got.text
    assert "find-me" in "".join(capfd.readouterr())


async def test_over_a_socket_head_and_keep_alive(site):
    async with (
        serving(site.app) as (_, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        for _ in range(3):
            got = await client.head("/healthz")
            assert (got.status_code, got.content) == (200, b"")
            assert got.headers["content-length"] == str(len(orjson.dumps({"status": "ok"})))
        assert (await client.get("/api/v1/projects")).status_code == 401


def test_every_refusal_has_a_status_of_its_own():
    def walk(kind: type[Any]) -> Any:
        yield kind
        for each in kind.__subclasses__():
            yield from walk(each)

    for kind in walk(errors.Refused):
        if kind is not errors.Refused:
            assert any(base in ANSWERS and base is not errors.PlayheadError for base in kind.__mro__), kind
