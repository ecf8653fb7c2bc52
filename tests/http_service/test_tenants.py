"""Every route with another project's ids, every filter with what databases understand; routes from the table."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from http_service.auth import Access
from http_service.operations import Operation
from http_service.routes import OPERATIONS
from tests.http_service.conftest import ADMIN, Site
from tests.http_service.test_replays_api import finalize, record

SECRET = "sigrid-the-secret"
ABSENT = {
    "key": "nobody",
    "session_id": "3645366763814944769",
    "at_ms": "1767225601000",
    "id": "absent",
    "category": "absent",
    "user_id": "absent",
}
#: without a body an operation would answer before it looks at the ids
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/api/v1/projects/{key}"): {"name": "Taken"},
    ("PUT", "/api/v1/projects/{key}/users"): {"users": [{"id": 1, "username": "x"}]},
    ("POST", "/api/v1/projects/{key}/api-keys"): {"role": "read"},
    ("PATCH", "/api/v1/replays/{session_id}"): {"pinned": True},
    ("POST", "/api/v1/replays/{session_id}/share"): {},
    ("PUT", "/api/v1/schemas/{category}"): {},
    ("POST", "/api/v1/events/query"): {},
    ("POST", "/api/v1/events"): {"session_id": "s", "category": "c", "name": "n"},
}
KEYED = [each for each in OPERATIONS if each.handle and each.access not in (Access.PUBLIC, Access.TRACKER)]
INJECTIONS = (
    "' OR '1'='1", "'; DROP TABLE sessions; --", "\\' OR 1=1 --", "%", "_", "1) UNION SELECT admin_key --", "$1", "{}",
    "pg_sleep(9)", "\u2019 OR \u20191\u2019=\u20191", "a" * 900, "\U0001f600", "[$ne]", "x'||(SELECT version())||'",
)  # fmt: skip


async def _ids(site: Site) -> dict[str, str]:
    """Ids of the project `shop` for every kind of path parameter."""
    session_id = await record(site, user=SECRET)
    event = {
        "session_id": SECRET,
        "category": "orders",
        "name": SECRET,
        "id": "order-1",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": {"x": SECRET},
    }
    sent = await site.client.post("/api/v1/events?project=shop", json=event, headers=ADMIN)
    assert sent.status_code == 202, sent.text
    schema = await site.client.put(
        "/api/v1/schemas/orders?project=shop", json={"title": SECRET}, headers=ADMIN
    )
    assert schema.status_code in (200, 201), schema.text
    await site.work(4)
    await finalize(site)
    frames = (await site.client.get(f"/api/v1/replays/{session_id}/frames", headers=ADMIN)).json()["frames"]
    at_ms = str(frames[0]["at_ms"])
    return {
        "key": "shop",
        "session_id": session_id,
        "at_ms": at_ms,
        "id": "order-1",
        "category": "orders",
        "user_id": SECRET,
    }


def _told(answer: httpx.Response) -> tuple[int, bytes]:
    return answer.status_code, answer.content


async def _ask(site: Site, operation: Operation, ids: dict[str, str], **more: Any) -> httpx.Response:
    path = re.sub(r"{(\w+)}", lambda name: ids[name[1]], operation.path)
    body = BODIES.get((operation.method, operation.path))
    answer: httpx.Response = await site.client.request(operation.method, path, json=body, **more)
    return answer


async def test_no_route_tells_another_project_s_data_from_none(site: Site) -> None:
    real = await _ids(site)
    other = await site.project("other")
    stranger = await site.key(other, "write")
    for each in KEYED:
        theirs = await _ask(site, each, real, headers=stranger)
        name = f"{each.method} {each.path}"
        assert SECRET.encode() not in theirs.content, name
        assert real["session_id"].encode() not in theirs.content, name
        if each.path.endswith("{category}"):
            continue  # a category has no owner but the caller
        if "{" in each.path:
            assert _told(theirs) == _told(await _ask(site, each, ABSENT, headers=stranger)), name
            assert theirs.status_code in (403, 404) or not theirs.json().get("events"), name
        elif each.query and "project" in each.query.model_fields:
            needed = {"field": "device"} if each.path.endswith("/suggestions") else {}
            named = await _ask(site, each, real, headers=stranger, params={"project": "shop", **needed})
            nobody = await _ask(site, each, real, headers=stranger, params={"project": "nobody", **needed})
            assert _told(named) == _told(nobody), name
            assert named.status_code in (403, 404), name
    for tail in ("", "/messages", "/frames", "/timeline"):  # and nothing of it was touched
        seen = await site.client.get(f"/api/v1/replays/{real['session_id']}{tail}", headers=ADMIN)
        assert seen.status_code == 200
    assert (await site.client.get("/api/v1/projects/shop", headers=ADMIN)).json()["name"] == "shop"


#: each is asked for with a text that is let through to the database
FILTERS = {"user_id", "device", "metadata", "data", "category", "name", "code", "text", "prefix"}
#: parts of texts, for which `%` or `{}` may well be found
PARTS = {"text", "url", "prefix"}
#: what else an operation needs before it looks at a filter
NEEDED = {"/api/v1/replays/suggestions": {"field": "device"}, "/api/v1/issues": {"project": "shop"}}


def _rows(answer: httpx.Response) -> list[Any]:
    """What a list answers."""
    return [row for value in answer.json().values() if isinstance(value, list) for row in value]


@pytest.mark.parametrize("operation", [o for o in KEYED if o.query], ids=lambda o: f"{o.method} {o.path}")
async def test_no_filter_is_understood_by_the_database(site: Site, operation: Operation) -> None:
    """A filter by what no row holds finds none; what is no filter changes nothing or is refused."""
    real = await _ids(site)
    assert operation.query is not None
    headers = await site.key(await site.services.projects.by_key("shop"), "write")
    needed = NEEDED.get(operation.path, {})
    plain = await _ask(site, operation, real, headers=headers, params=needed)
    understood = set()
    for name in operation.query.model_fields:
        if name == "project":
            continue
        for text in INJECTIONS:
            parameters = [f"{name}.{text}", f"{name}.x"] if name in {"metadata", "data"} else [name]
            for parameter in parameters:
                answer = await _ask(
                    site, operation, real, headers=headers, params={**needed, parameter: text}
                )
                assert answer.status_code in (200, 202, 403, 404, 409, 422), (name, text, answer.text)
                if answer.status_code == 200 and operation.method == "GET":
                    understood.add(name)
                    if name in PARTS:
                        assert len(answer.content) <= len(plain.content), (parameter, text)
                    else:
                        assert _rows(answer) == [], (parameter, text)
    missing = FILTERS & operation.query.model_fields.keys() - understood
    assert not missing or plain.status_code != 200, missing
