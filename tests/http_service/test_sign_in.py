"""Signing in to the player: what the cookie opens, when it dies, and that other sites' pages cannot use it."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from http_service.attempts import ADDRESSES, BURST, PAUSE_S, Attempts
from http_service.auth import Access
from http_service.routes import OPERATIONS
from playhead.errors import RateLimited, Unauthorized
from projects import Grant
from projects.sign_ins import issue_code
from tests.http_service.conftest import ADMIN, ADMIN_KEY, Site, bearer
from tests.http_service.serving import serving
from tests.http_service.test_every_route import call as call_operation
from tests.http_service.test_start import code
from workers.chores import Chores

CROSS = (403, "cross_site")
SIGN_IN, SIGN_OUT, ME = "/api/v1/sign-in", "/api/v1/sign-out", "/api/v1/me"
HOUR_MS = 3_600_000
OWN = {"Origin": "http://test"}


async def sign_in(site: Site, **body: str) -> dict[str, str]:
    """The header of a new sign-in's cookie."""
    answer = await site.client.post(SIGN_IN, json=body)
    assert answer.status_code == 200, answer.text
    site.client.cookies.clear()
    return {"Cookie": f"playhead_session={cookie_of(answer).value}"}


def cookie_of(answer: httpx.Response) -> Any:
    return SimpleCookie(answer.headers["set-cookie"])["playhead_session"]


async def new_code(site: Site, grant: Grant, ttl_ms: int = 60_000) -> str:
    now_ms = site.clock()
    return await issue_code(site.services.db, grant, admin_key=ADMIN_KEY, now_ms=now_ms, ttl_ms=ttl_ms)


async def status(site: Site, headers: dict[str, str], path: str = ME) -> int:
    return (await site.client.get(path, headers=headers)).status_code


async def becomes_401(site: Site, headers: dict[str, str]) -> None:
    """Other processes are told; what they hold would else live for an hour."""
    async with asyncio.timeout(5):
        while True:
            if await status(site, headers) == 401:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def pair(make_site: Any, request: pytest.FixtureRequest, redis_url: str) -> tuple[Site, Site]:
    """Two processes of one installation."""
    more = {"redis_url": redis_url if request.param else "", "cache_ttl_s": 3600, "public_url": "http://test"}
    one, other = await make_site(**more), await make_site(**more)
    await one.project()
    return one, other


each_cache = pytest.mark.parametrize("pair", [True, False], ids=["redis", "no redis"], indirect=True)


@pytest.mark.parametrize("role", ["admin", "write", "read"])
async def test_the_cookie_stands_for_the_key(site: Site, role: str) -> None:
    own = await site.services.projects.by_key("shop")
    await site.project("other")
    secret = ADMIN_KEY
    if role != "admin":
        _, secret = await site.services.api_keys.create(own.project_id, role)  # type: ignore[arg-type]
    answer = await site.client.post(SIGN_IN, json={"key": secret})
    site.client.cookies.clear()
    wanted = {
        "admin": role == "admin",
        "role": role,
        "project": None if role == "admin" else "shop",
        "replay": None,
    }
    assert (answer.status_code, answer.json()) == (200, wanted)
    cookie = cookie_of(answer)
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert (cookie["max-age"], cookie["secure"], cookie["domain"]) == (str(720 * 3600), "", "")
    headers = {"Cookie": f"playhead_session={cookie.value}"}
    assert (await site.client.get(ME, headers=headers)).json() == wanted
    assert (await site.client.get(ME, headers=bearer(secret))).json() == wanted
    assert await status(site, headers, "/api/v1/replays?project=shop") == 200
    foreign = 200 if role == "admin" else 404
    assert await status(site, headers, "/api/v1/projects/other") == foreign
    change = await site.client.patch("/api/v1/projects/shop", json={"name": "S"}, headers=headers | OWN)
    assert change.status_code == (403 if role == "read" else 200)
    assert await status(site, headers, "/api/v1/dead-letters") == (200 if role == "admin" else 403)
    # a header says more than the cookie
    assert await status(site, headers | bearer("phk_wrong")) == 401
    assert (await site.client.get(ME, headers=headers | ADMIN)).json()["role"] == "admin"


async def test_only_hashes_are_kept(site: Site) -> None:
    headers = await sign_in(site, key=ADMIN_KEY)
    one_time = await new_code(site, Grant("admin"))
    rows = await site.services.db.fetch(
        "SELECT sign_ins::text FROM sign_ins UNION ALL SELECT sign_in_codes::text FROM sign_in_codes"
    )
    assert len(rows) == 2
    for secret in (headers["Cookie"].partition("=")[2], one_time, ADMIN_KEY):
        assert not any(secret in row[0] or secret.encode().hex() in row[0] for row in rows)


REFUSED: list[tuple[Any, tuple[int, str]]] = [
    ({"key": "wrong"}, (401, "unauthorized")),
    ({"key": "phk_wrong"}, (401, "unauthorized")),
    ({"code": "wrong"}, (401, "unauthorized")),
    ({"code": "x" * 43}, (401, "unauthorized")),
    ({"code": ADMIN_KEY}, (401, "unauthorized")),
    ({}, (422, "validation_failed")),
    ({"key": ADMIN_KEY, "code": "x"}, (422, "validation_failed")),
    ({"key": ""}, (422, "validation_failed")),
    ({"key": "x" * 1001}, (422, "validation_failed")),
    ({"key": 5}, (422, "validation_failed")),
    ([], (400, "invalid_body")),
]


async def test_what_is_no_key_signs_nobody_in(site: Site) -> None:
    for body, answered in REFUSED:
        got = await site.client.post(SIGN_IN, json=body)
        assert code(got) == answered, body
        assert "set-cookie" not in got.headers


async def test_over_https_the_cookie_is_secure(make_site: Any) -> None:
    proxy, https = {"trusted_proxies": "203.0.113.0/24"}, {"X-Forwarded-Proto": "https"}
    cases: list[tuple[dict[str, str], dict[str, str], bool]] = [
        ({"public_url": "https://replay.example"}, {}, True),
        (proxy, https, True),
        (proxy, {"X-Forwarded-Proto": "http"}, False),
        (proxy, {}, False),
        ({}, https, False),
    ]
    for settings, headers, secure in cases:
        site = await make_site(**settings)
        answer = await site.client.post(SIGN_IN, json={"key": ADMIN_KEY}, headers=headers)
        assert bool(cookie_of(answer)["secure"]) == secure, (settings, headers)


@each_cache
async def test_sign_out_ends_it_in_all_processes(pair: tuple[Site, Site]) -> None:
    one, other = pair
    headers, stays = await sign_in(one, key=ADMIN_KEY), await sign_in(one, key=ADMIN_KEY)
    assert [await status(each, headers) for each in pair] == [200, 200]
    answer = await one.client.post(SIGN_OUT, headers=headers | OWN)
    assert answer.status_code == 204
    assert (cookie_of(answer).value, cookie_of(answer)["max-age"]) == ("", "0")
    one.client.cookies.clear()
    assert await status(one, headers) == 401
    await becomes_401(other, headers)
    assert [await status(each, stays) for each in pair] == [200, 200]
    assert (await one.client.post(SIGN_OUT, headers=headers | OWN)).status_code == 204
    assert (await one.client.post(SIGN_OUT)).status_code == 204


@each_cache
async def test_a_revoked_key_takes_its_sign_ins_along(pair: tuple[Site, Site]) -> None:
    one, other = pair
    own = await one.services.projects.by_key("shop")
    key, secret = await one.services.api_keys.create(own.project_id, "write")
    _, another = await one.services.api_keys.create(own.project_id, "read")
    headers, stays = await sign_in(one, key=secret), await sign_in(other, key=another)
    assert [await status(each, headers) for each in pair] == [200, 200]
    await one.client.delete(f"/api/v1/projects/shop/api-keys/{key.api_key_id}", headers=ADMIN)
    assert await status(one, headers) == 401
    await becomes_401(other, headers)
    assert [await status(each, stays) for each in pair] == [200, 200]


async def test_another_admin_key_ends_what_the_old_one_granted(make_site: Any) -> None:
    old, new = await make_site(), await make_site(admin_key="another-admin-key")
    project = await old.project()
    _, secret = await old.services.api_keys.create(project.project_id, "read")
    by_admin, by_key = await sign_in(old, key=ADMIN_KEY), await sign_in(old, key=secret)
    by_link = await sign_in(old, code=await new_code(old, Grant("write", project.project_id)))
    unused = await new_code(old, Grant("admin"))
    assert [await status(new, each) for each in (by_admin, by_link, by_key)] == [401, 401, 200]
    assert code(await new.client.post(SIGN_IN, json={"code": unused})) == (401, "unauthorized")
    assert (await old.client.post(SIGN_IN, json={"code": unused})).status_code == 200


@each_cache
async def test_a_code_used_many_times_at_once_signs_in_once(pair: tuple[Site, Site]) -> None:
    project = await pair[0].services.projects.by_key("shop")
    for grant in (Grant("admin"), Grant("read", project.project_id)):
        one_time = await new_code(pair[0], grant)
        tries = [pair[n % 2].client.post(SIGN_IN, json={"code": one_time}) for n in range(10)]
        answers = await asyncio.gather(*tries)
        assert sorted(each.status_code for each in answers) == [200] + [401] * 9
        (good,) = (each.json() for each in answers if each.status_code == 200)
        assert (good["role"], good["project"]) == (grant.role, "shop" if grant.project_id else None)
        for each in pair:
            each.clock.ahead_ms += BURST * PAUSE_S * 1000


async def test_codes_and_sign_ins_end_and_are_cleaned(site: Site) -> None:
    headers = await sign_in(site, key=ADMIN_KEY)
    late = await new_code(site, Grant("admin"), ttl_ms=1000)
    kept = await new_code(site, Grant("admin"), ttl_ms=1000 * HOUR_MS)
    site.clock.ahead_ms = 1001
    assert code(await site.client.post(SIGN_IN, json={"code": late})) == (401, "unauthorized")
    assert await status(site, headers) == 200
    site.clock.ahead_ms = 721 * HOUR_MS
    assert await status(site, headers) == 401
    await Chores(site.services).sign_ins()
    assert await site.services.db.fetchval("SELECT count(*) FROM sign_ins") == 0
    assert await site.services.db.fetchval("SELECT count(*) FROM sign_in_codes") == 1
    assert await status(site, await sign_in(site, code=kept)) == 200


CROSS = (403, "cross_site")


GOOD_ORIGINS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://test"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://test"},
    {"Origin": "https://replay.example:8443"},  # the public address, whatever a proxy makes of Host
]
BAD_ORIGINS: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://sibling.test"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "http://test.evil.example"},
    {"Origin": "http://test:81"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[", "Host": ""},
    {"Origin": "null", "Host": ""},
    {},
]


async def test_a_cookie_changes_nothing_for_other_sites(make_site: Any) -> None:
    site = await make_site(public_url="https://replay.example:8443")
    await site.project()
    headers = await sign_in(site, key=ADMIN_KEY)

    async def change(sent: dict[str, str]) -> list[httpx.Response]:
        return [
            await site.client.patch("/api/v1/projects/shop", json={"name": "x"}, headers=headers | sent),
            await site.client.post("/api/v1/projects", json={"name": "x"}, headers=headers | sent),
            await site.client.post(SIGN_OUT, headers=headers | sent),
        ]

    for sent in BAD_ORIGINS:
        assert [code(each) for each in await change(sent)] == [CROSS] * 3, sent
        assert await status(site, headers | sent) == 200  # reading: nobody else's page can see the answer
        answer = await site.client.patch("/api/v1/projects/shop", json={}, headers=sent | ADMIN)
        assert answer.status_code == 200, sent
        if sent:
            assert code(await site.client.post(SIGN_IN, json={"key": ADMIN_KEY}, headers=sent)) == CROSS
    for sent in GOOD_ORIGINS:
        headers = await sign_in(site, key=ADMIN_KEY)
        assert [each.status_code for each in await change(sent)] == [200, 201, 204], sent


async def test_ingest_never_takes_the_cookie(site: Site) -> None:
    headers = await sign_in(site, key=ADMIN_KEY) | OWN
    walked = 0
    for operation in OPERATIONS:
        if operation.ingest and operation.access is not Access.PUBLIC:
            walked += 1
            assert code(await call_operation(site, operation, headers)) == (401, "unauthorized"), (
                operation.path
            )
    assert walked >= 5


async def test_wrong_tries_are_limited_by_address(make_site: Any) -> None:
    site = await make_site(trusted_proxies="203.0.113.9")
    here, there = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}

    async def tried(key: str, headers: dict[str, str]) -> httpx.Response:
        answer: httpx.Response = await site.client.post(SIGN_IN, json={"key": key}, headers=headers)
        site.client.cookies.clear()
        return answer

    for _ in range(BURST + 5):
        assert (await tried(ADMIN_KEY, here)).status_code == 200  # good tries cost nothing
    answers = await asyncio.gather(*(tried("wrong", here) for _ in range(2 * BURST)))
    assert sorted(each.status_code for each in answers) == [401] * BURST + [429] * BURST
    limited = await tried(ADMIN_KEY, here)  # else the limit would not hinder a search
    assert code(limited) == (429, "rate_limited")
    assert 1 <= int(limited.headers["retry-after"]) <= PAUSE_S
    assert (await tried(ADMIN_KEY, there)).status_code == 200
    site.clock.ahead_ms = PAUSE_S * 1000
    assert (await tried("wrong", here)).status_code == 401
    assert (await tried("wrong", here)).status_code == 429
    site.clock.ahead_ms += PAUSE_S * 1000
    assert (await tried(ADMIN_KEY, here)).status_code == 200


def test_the_memory_of_wrong_tries_is_bounded_and_knows_networks() -> None:
    attempts = Attempts(lambda: 0)

    def fails(address: str) -> None:
        with pytest.raises(Unauthorized), attempts.counted(address):
            raise Unauthorized

    for number in range(BURST):
        fails(f"2001:db8:1:1::{number:x}")
    with pytest.raises(RateLimited), attempts.counted("2001:db8:1:1:ffff::1"):
        raise AssertionError("let through")
    fails("2001:db8:1:2::1")
    for _ in range(BURST):
        fails("::ffff:198.51.100.1")
    fails("::ffff:198.51.100.2")
    for number in range(2 * ADDRESSES):
        fails(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    fails("2001:db8:1:1::1")  # long forgotten


async def test_pages_of_the_player_are_under_one_policy(site: Site) -> None:
    pages = [await site.client.get(path) for path in ("/", "/replays/3645366763814944769", "/sign-in")]
    for each in pages:
        assert (each.status_code, each.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert each.headers["cross-origin-opener-policy"] == "same-origin"
        assert each.headers["cross-origin-resource-policy"] == "same-origin"
        assert each.headers["referrer-policy"] == "no-referrer"
        policy = each.headers["content-security-policy"].split("; ")
        for rule in (
            "default-src 'none'",
            "script-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ):
            assert rule in policy


async def test_over_a_socket_a_browser_stays_signed_in(site: Site) -> None:
    async with (
        serving(site.app) as (_, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as browser,
    ):
        own = {"Origin": f"http://127.0.0.1:{port}"}
        assert (await browser.get(ME)).status_code == 401
        assert (await browser.post(SIGN_IN, json={"key": ADMIN_KEY}, headers=own)).status_code == 200
        assert (await browser.get(ME)).json() == {
            "admin": True,
            "role": "admin",
            "project": None,
            "replay": None,
        }
        assert (await browser.post(SIGN_OUT, headers=own)).status_code == 204
        assert not browser.cookies
        assert (await browser.get(ME)).status_code == 401
