"""Projects and API keys over HTTP, and who sees what (faults 12, 22)."""

from __future__ import annotations

import pytest

from tests.http_service.conftest import ADMIN, bearer
from tests.http_service.test_start import code

API = "/api/v1/projects"


async def test_a_project_is_made_read_changed_and_listed(site):
    wanted = {"name": "Café", "key": "cafe", "platform": "android", "sample_rate": 25}
    made = await site.client.post(API, json=wanted, headers=ADMIN)
    assert made.status_code == 201
    project = made.json()
    assert {name: project[name] for name in wanted} == wanted
    assert project["hamustro"]["shared_secret"]
    changed = await site.client.patch(f"{API}/cafe", json={"retention_days": 7}, headers=ADMIN)
    assert (changed.json()["retention_days"], changed.json()["sample_rate"]) == (7, 25)
    assert (await site.client.get(f"{API}/cafe", headers=ADMIN)).json() == changed.json()
    listed = (await site.client.get(API, headers=ADMIN)).json()["projects"]
    assert [each["key"] for each in listed] == ["shop", "cafe"]


async def test_projects_and_keys_are_listed_in_pages(site):
    for key in ("a", "b", "c"):
        await site.client.post(API, json={"name": key, "key": key}, headers=ADMIN)
        await site.client.post(f"{API}/shop/api-keys", json={"role": "read"}, headers=ADMIN)
    for url, member in ((API, "projects"), (f"{API}/shop/api-keys", "api_keys")):
        every = (await site.client.get(url, headers=ADMIN)).json()
        assert every["next_cursor"] is None
        for limit in (1, 2, len(every[member]), 1000):
            found, cursor = [], None
            while True:
                asked = {"limit": limit} | ({"cursor": cursor} if cursor else {})
                page = (await site.client.get(url, params=asked, headers=ADMIN)).json()
                assert 0 < len(page[member]) <= limit
                found += page[member]
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            assert found == every[member]
        for query in ("limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=", "page=2"):
            assert code(await site.client.get(f"{url}?{query}", headers=ADMIN))[0] == 422, query


async def test_a_page_of_projects_goes_on_where_one_was_erased(site):
    for key in ("a", "b"):
        await site.client.post(API, json={"name": key, "key": key}, headers=ADMIN)
    first = (await site.client.get(f"{API}?limit=2", headers=ADMIN)).json()
    assert (await site.client.delete(f"{API}/a", headers=ADMIN)).status_code == 204
    rest = (await site.client.get(f"{API}?cursor={first['next_cursor']}", headers=ADMIN)).json()
    assert ([each["key"] for each in rest["projects"]], rest["next_cursor"]) == (["b"], None)


async def test_a_key_that_is_taken_conflicts(site):
    assert code(await site.client.post(API, json={"name": "x", "key": "shop"}, headers=ADMIN)) == (
        409,
        "conflict",
    )


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({}, "name", "missing_field"),
        ({"name": ""}, "name", "invalid_value"),
        ({"name": 5}, "name", "invalid_type"),
        ({"name": "x", "key": "a/b"}, "key", "invalid_value"),
        ({"name": "x", "colour": 1}, "colour", "unexpected_field"),
        ({"name": "x", "sample_rate": 101}, "sample_rate", "invalid_value"),
        ({"name": "x", "sample_rate": "5"}, "sample_rate", "invalid_type"),
        ({"name": "x", "platform": "web"}, "platform", "invalid_value"),
        ({"name": "x", "hamustro": {"signature": "no"}}, "hamustro.signature", "invalid_value"),
        ({"name": "x", "hamustro": {"maintenance_key": "a\0"}}, "hamustro.maintenance_key", "invalid_value"),
        ({"name": "x", "segment": {"sources": {"a\0b": "c"}}}, "segment.sources.ab", "invalid_value"),
        ({"name": "x", "conditions": [{"filters": []}]}, "conditions.0.name", "missing_field"),
    ],
)
async def test_bad_values_are_named(site, body, field, problem):
    got = await site.client.post(API, json=body, headers=ADMIN)
    assert code(got) == (422, "validation_failed")
    details = {each["field"]: each["code"] for each in got.json()["error"]["details"]}
    assert details[field] == problem


async def test_all_problems_come_at_once(site):
    body = {"sample_rate": 101, "colour": 1}
    details = (await site.client.post(API, json=body, headers=ADMIN)).json()["error"]["details"]
    assert {each["field"] for each in details} == {"name", "sample_rate", "colour"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[]", "invalid_body"),
        (b"5", "invalid_body"),
    ],
)
async def test_400_for_what_is_no_json_object(site, content, problem):
    got = await site.client.post(API, content=content, headers=ADMIN | {"Content-Type": "application/json"})
    assert code(got) == (400, problem)


async def test_other_bodies_are_not_taken(site):
    got = await site.client.post(API, content=b"name=x", headers=ADMIN | {"Content-Type": "text/plain"})
    assert code(got) == (415, "unsupported_media_type")
    got = await site.client.post(API, content=b'{"name":"' + b"x" * 2_000_000, headers=ADMIN)
    assert code(got) == (413, "payload_too_large")


async def test_api_keys_are_made_listed_and_revoked(site):
    path = f"{API}/shop/api-keys"
    made = await site.client.post(path, json={"role": "read"}, headers=ADMIN)
    assert made.status_code == 201
    key = made.json()
    assert (await site.client.get(API, headers=bearer(key["secret"]))).status_code == 200
    (listed,) = (await site.client.get(path, headers=ADMIN)).json()["api_keys"]
    assert listed == {name: value for name, value in key.items() if name != "secret"}
    assert (await site.client.delete(f"{path}/{key['id']}", headers=ADMIN)).status_code == 204
    assert code(await site.client.get(API, headers=bearer(key["secret"]))) == (401, "unauthorized")
    assert code(await site.client.delete(f"{path}/none", headers=ADMIN)) == (404, "not_found")
    assert (await site.client.post(path, headers=ADMIN)).json()["role"] == "read"
    assert code(await site.client.post(path, json={"role": "admin"}, headers=ADMIN))[0] == 422


async def test_a_key_of_another_project_cannot_be_revoked_there(site):
    other = await site.project("other")
    key, _ = await site.services.api_keys.create(other.project_id, "read")
    got = await site.client.delete(f"{API}/shop/api-keys/{key.api_key_id}", headers=ADMIN)
    assert code(got) == (404, "not_found")


async def test_an_api_key_sees_its_project_only(site):
    other = await site.project("other")
    own = await site.services.projects.by_key("shop")
    headers = await site.key(own, "write")
    listed = (await site.client.get(API, headers=headers)).json()["projects"]
    assert [each["key"] for each in listed] == ["shop"]
    assert (await site.client.get(f"{API}/shop", headers=headers)).status_code == 200
    answers = set()
    for key in (other.project_key, "absent", "a%2Fb", "%00", "x" * 300):
        for method in ("GET", "PATCH"):
            got = await site.client.request(method, f"{API}/{key}", json={}, headers=headers)
            answers.add((got.status_code, got.content))
        for method, tail in (("GET", ""), ("POST", ""), ("DELETE", "/1")):
            got = await site.client.request(method, f"{API}/{key}/api-keys{tail}", json={}, headers=headers)
            answers.add((got.status_code, got.content))
    assert {status for status, _ in answers} == {404}
    assert len({body for _, body in answers} - {b""}) <= 2  # by key, or no name at all


async def test_roles(site):
    own = await site.services.projects.by_key("shop")
    reads, writes = await site.key(own, "read"), await site.key(own, "write")
    assert code(await site.client.patch(f"{API}/shop", json={}, headers=reads)) == (403, "forbidden")
    assert (await site.client.patch(f"{API}/shop", json={"name": "New"}, headers=writes)).json()[
        "name"
    ] == "New"
    for headers in (reads, writes):
        assert code(await site.client.post(API, json={"name": "x"}, headers=headers)) == (403, "forbidden")
        assert code(await site.client.get(f"{API}/shop/api-keys", headers=headers)) == (403, "forbidden")
        assert code(await site.client.get("/api/v1/dead-letters", headers=headers)) == (403, "forbidden")


async def test_secrets_are_shown_to_who_may_write(site):
    own = await site.services.projects.by_key("shop")
    for role, shown in (("read", False), ("write", True)):
        headers = await site.key(own, role)
        got = (await site.client.get(f"{API}/shop", headers=headers)).json()
        assert (got["hamustro"]["shared_secret"] is not None) == shown


async def test_a_change_is_seen_at_once_by_start(site):
    await site.start()
    await site.client.patch(f"{API}/shop", json={"sample_rate": 0}, headers=ADMIN)
    got = await site.client.post("/v1/mobile/start", json={"projectKey": "shop", "trackerVersion": "2.0.0"})
    assert code(got) == (403, "sampled_out")
