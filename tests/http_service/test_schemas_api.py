"""Schemas of categories (spec/event-service.md 6), and that none can stall the service."""

from __future__ import annotations

from typing import Any

import pytest

from projects.changes import parse_changes
from tests.http_service.conftest import ADMIN, Site
from tests.http_service.test_events_api import JSON, KEY, URL, code, event, problems

API = "/api/v1/schemas"
EXAMPLE = {
    "type": "object",
    "required": ["host", "path"],
    "properties": {"host": {"type": "string"}, "path": {"type": "string"}},
    "additionalProperties": False,
}


async def put(site: Site, schema: Any, category: str = "party") -> Any:
    return await site.client.put(f"{API}/{category}?project=shop", json=schema, headers=ADMIN)


async def test_a_schema_is_set_replaced_read_listed_and_removed(site):
    path = f"{API}/party?project=shop"
    assert code(await site.client.get(path, headers=ADMIN)) == (404, "not_found")
    assert code(await site.client.delete(path, headers=ADMIN)) == (404, "not_found")
    for version, schema, status in ((1, EXAMPLE, 201), (2, True, 200), (3, EXAMPLE, 200)):
        got = await put(site, schema)
        expected = {"category": "party", "version": version, "schema": schema}
        assert (got.status_code, got.json()) == (status, expected)
        assert (await site.client.get(path, headers=ADMIN)).json() == expected
    await put(site, False, "a%2Fb%20c")
    listed = (await site.client.get(f"{API}?project=shop", headers=ADMIN)).json()["schemas"]
    assert [each["category"] for each in listed] == ["a/b c", "party"]
    gone = await site.client.delete(path, headers=ADMIN)
    assert (gone.status_code, gone.content) == (204, b"")
    assert code(await site.client.get(path, headers=ADMIN)) == (404, "not_found")
    assert (await put(site, EXAMPLE)).json()["version"] == 1


async def test_reading_keys_read_schemas_only(site):
    read = await site.key(await site.services.projects.by_key("shop"), "read")
    assert (await site.client.get(API, headers=read)).status_code == 200
    for method in ("PUT", "DELETE"):
        got = await site.client.request(method, f"{API}/party", json=True, headers=read)
        assert code(got) == (403, "forbidden")


async def test_the_example_of_the_spec(site):
    await put(site, EXAMPLE)
    found = await problems(site, event(data={"host": 5, "extra": 1}))
    assert found == {(f"data.{name}", "schema_violation") for name in ("host", "path", "extra")}
    assert (await site.client.post(URL, json=event(), headers=KEY)).status_code == 202
    assert (
        await site.client.post(URL, json=event(category="Party", data={}), headers=KEY)
    ).status_code == 202


async def test_a_schema_binds_from_its_answer_on(make_site):
    sites = [await make_site(), await make_site()]
    await sites[0].project()
    for turn in range(2):
        for schema, status in ((False, 422), (True, 202)):
            await put(sites[turn % 2], schema)
            for site in sites:
                assert (await site.client.post(URL, json=event(), headers=KEY)).status_code == status
    await put(sites[0], False)
    await sites[0].client.delete(f"{API}/party?project=shop", headers=ADMIN)
    for site in sites:
        assert (await site.client.post(URL, json=event(), headers=KEY)).status_code == 202


async def test_a_strict_project_knows_its_categories(site):
    await site.services.projects.update("shop", parse_changes({"strict_categories": True}))
    assert await problems(site, event()) == {("category", "unknown_category")}
    assert await problems(site, event(data=5)) == {("category", "unknown_category"), ("data", "invalid_type")}
    await put(site, True)
    assert (await site.client.post(URL, json=event(), headers=KEY)).status_code == 202


async def test_schemas_are_a_projects_own(site):
    await site.project("other")
    await put(site, False)
    assert (await site.client.post(URL, json=event(), headers={"X-Project-Key": "other"})).status_code == 202


@pytest.mark.parametrize(
    "schema",
    [
        5, "x", [], {"type": "nope"}, {"type": 5}, {"properties": []}, {"pattern": "("},
        {"$ref": "http://127.0.0.1:9/x"}, {"$ref": "https://example.com/s.json"}, {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"}, {"$ref": "other.json#/a"}, {"$ref": ""}, {"$ref": "#/nope"}, {"$ref": 5},
        {"properties": {"a": {"items": {"$ref": "http://x/y"}}}}, {"$dynamicRef": "http://x/y#z"},
        {"$defs": {"a": {"$ref": "http://x/y"}}}, {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"minimum": "1"}, {"required": "a"},
        {"$schema": "http://127.0.0.1:9/meta"},
    ],
    ids=repr,
)  # fmt: skip
async def test_what_is_no_schema(site, schema):
    assert code(await put(site, schema)) == (422, "invalid_schema")
    assert (await site.client.post(URL, json=event(), headers=KEY)).status_code == 202


async def test_what_is_no_json(site):
    for content in (b"", b"{", b"\xff"):
        got = await site.client.put(f"{API}/party?project=shop", content=content, headers=ADMIN | JSON)
        assert code(got) == (400, "invalid_json")


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"t": {"type": "string"}}, "properties": {"host": {"$ref": "#/$defs/t"}}},
        {"$defs": {"t": {"$anchor": "t", "type": "string"}}, "properties": {"host": {"$ref": "#t"}}},
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {"host": {"type": "string"}},
        },
        {"properties": {"host": {"type": "string"}, "child": {"$ref": "#"}}},
        {"properties": {"host": {"type": "string"}, "left": {"$ref": "#"}, "right": {"$ref": "#"}}},
        {"properties": {"host": {"const": {"$ref": "http://x/y"}}}},
        {"properties": {"$ref": {"type": "string"}, "host": {"pattern": "^[a-z]+$"}}},
        {"properties": {"host": {"pattern": "^(?=.*x)w"}}},
    ],
    ids=repr,
)
async def test_schemas_that_are_some(site, schema):
    assert (await put(site, schema)).status_code == 201
    fault = "Ü" if "pattern" in str(schema) else 5
    assert await problems(site, event(data={"host": fault})) == {("data.host", "schema_violation")}


async def test_a_schema_may_refer_to_itself(site):
    nullable = {"anyOf": [{"type": "null"}, {"$ref": "#"}]}
    tree = {
        "properties": {
            "host": {"type": "string"},
            "left": nullable,
            "right": nullable,
            "kids": {"items": nullable},
        }
    }
    assert (await put(site, tree)).status_code == 201
    data: dict[str, Any] = {"host": "x"}
    for _ in range(40):
        data = {"host": "x", "left": data, "right": None, "kids": [None]}
    assert (await site.client.post(URL, json=event(data=data), headers=KEY)).status_code == 202
    data = {"left": {"kids": [{"host": 5}]}}
    assert ("data.left", "schema_violation") in await problems(site, event(data=data))


def doubling(levels: int) -> dict[str, Any]:
    defs = {
        f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}, {"$ref": f"#/$defs/l{n + 1}"}]}
        for n in range(levels)
    }
    return {"$ref": "#/$defs/l0", "$defs": {**defs, f"l{levels}": {"type": "object"}}}


@pytest.mark.parametrize(
    "schema",
    [
        doubling(40),
        {"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}},
        {
            "additionalProperties": {"$ref": "#"},
            "patternProperties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
        },
        {"items": {"oneOf": [{"$ref": "#"}, {"not": {"$ref": "#"}}]}},
    ],
    ids=["doubling", "twice below", "patterns", "items"],
)
async def test_schemas_that_would_never_end_are_refused(site, schema):
    assert code(await put(site, schema)) == (422, "invalid_schema")


async def test_too_large_or_too_deep(site):
    deep: Any = {}
    for _ in range(150):
        deep = {"not": deep}
    assert code(await put(site, deep)) == (422, "invalid_schema")
    got = await site.client.put(
        f"{API}/party?project=shop",
        content=b'{"enum": [' + b"[" * 400 + b"]" * 400 + b"]}",
        headers=ADMIN | JSON,
    )
    assert code(got) == (422, "invalid_schema")
    assert code(await put(site, {"enum": ["x" * 300_000]})) == (413, "payload_too_large")


async def test_a_thousand_problems_are_told_and_no_more(site):
    await put(site, {"additionalProperties": {"type": "string"}})
    got = await site.client.post(URL, json=event(data={f"m{n}": n for n in range(3000)}), headers=KEY)
    assert len(got.json()["error"]["details"]) == 1000
    assert "2999" not in got.text
