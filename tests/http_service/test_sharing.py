"""Links to one replay: what they open, that they open nothing else, and that they end everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from http_service.auth import Access
from http_service.routes import OPERATIONS
from projects.shares import MAX_LINKS
from tests.http_service.conftest import ADMIN, Site
from tests.http_service.test_every_route import call as call_operation
from tests.http_service.test_every_route import url as url_of
from tests.http_service.test_replays_api import API, finalize, own, record
from tests.http_service.test_sign_in import ME, OWN, SIGN_OUT, becomes_401, each_cache, pair, sign_in, status
from tests.http_service.test_start import code

__all__ = ["pair"]

HOUR_MS = 3_600_000


async def recorded(site: Site, **more: Any) -> str:
    session_id = await record(site, **more)
    await site.work(3)
    await finalize(site)
    return session_id


async def link_to(site: Site, session_id: str, **body: int) -> str:
    """The token of a new link."""
    got = await site.client.post(f"{API}/{session_id}/share", json=body, headers=ADMIN)
    assert got.status_code == 201, got.text
    found: str = got.json()["url"].partition("#share=")[2]
    return found


async def test_a_link_opens_its_replay_alone(site: Site) -> None:
    session_id = await recorded(site)
    other = await record(site, user="bob")
    await site.work(6)
    headers = await sign_in(site, share=await link_to(site, session_id)) | OWN
    me = {"admin": False, "role": "share", "project": "shop", "replay": session_id}
    assert (await site.client.get(ME, headers=headers)).json() == me
    frames = (await site.client.get(f"{API}/{session_id}/frames", headers=headers)).json()["frames"]
    opened = 0
    for operation in OPERATIONS:
        if operation.access in (Access.PUBLIC, Access.TRACKER):
            continue
        got = await call_operation(
            site, operation, headers, session_id=session_id, at_ms=str(frames[0]["at_ms"])
        )
        if operation.shared:
            opened += 1
            needs_more = operation.path.endswith("/export")
            assert got.status_code == (422 if needs_more else 200), operation.path
        else:
            kept_out = (401, "unauthorized") if operation.ingest else (404, "not_found")
            assert code(got) == kept_out, operation.path
        if "session_id" in operation.parameters:
            path = url_of(operation, session_id=other, at_ms=str(frames[0]["at_ms"]))
            got = await site.client.request(operation.method, path, headers=headers)
            assert code(got) == (404, "not_found"), operation.path
    assert opened >= 7
    assert await status(site, headers, f"{API}/{session_id}/export?format=text") == 200
    for path in (
        API,
        f"{API}?project=shop",
        f"{API}/suggestions?field=os",
        "/api/v1/projects/shop",
        f"{API}/0{session_id}",
    ):
        assert await status(site, headers, path) == 404


async def test_who_may_write_makes_links_and_revokes_them(make_site: Any) -> None:
    site = await make_site(public_url="https://replay.example/")
    await site.project()
    await site.project("other")
    session_id = await record(site)
    await site.work(3)
    path = f"{API}/{session_id}/share"
    writes, reads, foreign = await own(site, "write"), await own(site), await own(site, "write", "other")
    made = await site.client.post(path, json={"expires_in_s": 3600}, headers=writes)
    assert re.fullmatch(
        rf"https://replay\.example/replays/{session_id}#share=[\w-]{{43}}", made.json()["url"]
    )
    assert abs(made.json()["expires_ms"] - site.clock() - HOUR_MS) < 60_000
    assert (await site.client.post(path, headers=writes)).status_code == 201
    for method in ("POST", "DELETE"):
        assert code(await site.client.request(method, path, headers=reads)) == (403, "forbidden")
        assert code(await site.client.request(method, path, headers=foreign)) == (404, "not_found")
    for body in ({"expires_in_s": 59}, {"expires_in_s": 10**9}, {"expires_in_s": "60"}, {"for": "ever"}):
        assert code(await site.client.post(path, json=body, headers=writes)) == (422, "validation_failed")
    await site.services.db.execute(
        "INSERT INTO shares SELECT sha256(n::text::bytea), 1, $1, 0, $2 FROM generate_series(1, $3) n",
        int(session_id), site.clock() + HOUR_MS, MAX_LINKS - 3,
    )  # fmt: skip
    assert (await site.client.post(path, headers=writes)).status_code == 201
    assert code(await site.client.post(path, headers=writes)) == (409, "conflict")
    assert (await site.client.delete(path, headers=writes)).status_code == 204
    assert await site.services.db.fetchval("SELECT count(*) FROM shares") == 0
    assert (await site.client.post(path, headers=writes)).status_code == 201


async def test_without_a_public_address_links_lead_where_they_were_asked_for(site: Site) -> None:
    session_id = await record(site)
    await site.work(3)
    got = await site.client.post(f"{API}/{session_id}/share", headers=ADMIN)
    assert got.json()["url"].startswith(f"http://test/replays/{session_id}#share=")


@each_cache
async def test_revoked_links_are_dead_everywhere_with_whoever_came_by_them(pair: tuple[Site, Site]) -> None:
    one, other = pair
    session_id = await record(one)
    kept_id = await record(one, user="bob")
    await one.work(6)
    token = await link_to(one, session_id)
    headers = await sign_in(one, share=token)
    kept = await sign_in(other, share=await link_to(one, kept_id))
    assert [await status(each, headers) for each in pair] == [200, 200]
    assert (await one.client.delete(f"{API}/{session_id}/share", headers=ADMIN)).status_code == 204
    assert await status(one, headers) == 401
    await becomes_401(other, headers)
    assert [await status(each, kept, f"{API}/{kept_id}") for each in pair] == [200, 200]
    for each in pair:
        got = await each.client.post("/api/v1/sign-in", json={"share": token})
        assert code(got) == (401, "unauthorized")
    assert await one.services.db.fetchval("SELECT count(*) FROM sign_ins") == 1
    again = await sign_in(other, share=await link_to(one, session_id))
    assert await status(one, again, f"{API}/{session_id}") == 200


async def test_links_end_by_time_by_signing_out_and_with_the_replay(site: Site) -> None:
    session_id = await record(site)
    await site.work(3)
    token = await link_to(site, session_id, expires_in_s=60)
    gone, stays = await sign_in(site, share=token), await sign_in(site, share=token)
    assert (await site.client.post(SIGN_OUT, headers=gone | OWN)).status_code == 204
    assert [await status(site, each) for each in (gone, stays)] == [401, 200]
    site.clock.ahead_ms += 60_001
    assert await status(site, stays) == 401
    assert code(await site.client.post("/api/v1/sign-in", json={"share": token})) == (401, "unauthorized")
    fresh = await sign_in(site, share=await link_to(site, session_id))
    assert (await site.client.delete(f"{API}/{session_id}", headers=ADMIN)).status_code == 204
    assert await status(site, fresh, f"{API}/{session_id}") in (401, 404)
    assert await site.services.db.fetchval("SELECT count(*) FROM shares") == 0
    assert await site.services.db.fetchval("SELECT count(*) FROM sign_ins WHERE share_hash IS NOT NULL") == 0


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 43])
async def test_what_is_no_link_opens_nothing(site: Site, token: str) -> None:
    got = await site.client.post("/api/v1/sign-in", json={"share": token})
    assert got.status_code == (401 if token else 422)
