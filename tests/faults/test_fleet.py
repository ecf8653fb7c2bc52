"""Several HTTP and worker processes over one Postgres, one Redis, one S3 server: each knows at once what another was
told, and what stops one of them hard costs nothing that was acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.faults.proxy import Proxy
from tests.faults.raw_phone import RawPhone
from tests.faults.town import ADMIN, PROJECT, Town, new_town
from tests.servers import RedisServer, S3Server

#: nothing that is held ends by itself during these tests …
LIVES = {"PLAYHEAD_CACHE_TTL_S": "3600", "PLAYHEAD_CACHE_NEGATIVE_TTL_S": "3600"}
#: … but for sessions at rest, which are held for ten seconds
TOLD_S = 8.0
CLAIMS_EXPIRE_S = 3.5  # the town's claim_timeout_s and a bit


@pytest.mark.crash
@pytest.mark.timeout(300)
async def test_what_one_process_is_told_all_know(tmp_path: Path) -> None:
    """With Redis, while it is down, and in a fleet that has none: the notices go through Postgres."""
    redis = RedisServer()
    await asyncio.to_thread(redis.start)
    try:
        with new_town(tmp_path, PLAYHEAD_REDIS_URL=redis.url, **LIVES) as town:
            await town.build(http=2)
            print("redis", await _all_changes(town, "with"))
            await asyncio.to_thread(redis.stop)
            print("redis down", await _all_changes(town, "down"))
            for process in town.processes:
                del process.variables["PLAYHEAD_REDIS_URL"]
                await asyncio.to_thread(process.stop)
                await asyncio.to_thread(process.start)
            print("no redis", await _all_changes(town, "none"))
    finally:
        redis.close()


async def _all_changes(town: Town, name: str) -> dict[str, float]:
    """Each change through the first process, each look through the second -> s until it was seen there."""
    first, second = town.http
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with (
        httpx.AsyncClient(base_url=first.url, headers=headers, timeout=20, trust_env=False) as one,
        httpx.AsyncClient(base_url=second.url, timeout=20, trust_env=False) as two,
        RawPhone.open(first.url, PROJECT, town.book) as phone,
    ):
        assert await phone.start() == 200 and await phone.say(3) == 200
        seen = {
            "project": await _project(one, two, f"shop-{name}"),
            "api key": await _api_key(one, two),
            "sign-out": await _sign_out(one, two),
        }
        replay = f"/api/v1/replays/{phone.session_id}"
        await _until(lambda: _is(two.get(replay, headers=headers), "ready"), within_s=60)
        seen["share"] = await _share(one, two, replay)
        assert (await two.get(replay, headers=headers)).status_code == 200
        assert (await one.delete(replay)).status_code == 204
        seen["erased"] = await _until(lambda: _answers(two.get(replay, headers=headers), 404))
        return seen


async def _project(one: httpx.AsyncClient, two: httpx.AsyncClient, key: str) -> float:
    body = {"projectKey": key, "trackerVersion": "1.0.22", "platform": "ios", "timestamp": 1, "userUUID": "u"}
    assert (await two.post("/v1/mobile/start", json=body)).status_code == 404  # an absence is held, too
    assert (await one.post("/api/v1/projects", json={"name": "Shop", "key": key})).status_code == 201
    made_s = await _until(lambda: _answers(two.post("/v1/mobile/start", json=body), 200))
    assert (await one.patch(f"/api/v1/projects/{key}", json={"active": False})).status_code == 200
    return max(made_s, await _until(lambda: _answers(two.post("/v1/mobile/start", json=body), 404)))


async def _api_key(one: httpx.AsyncClient, two: httpx.AsyncClient) -> float:
    made = (await one.post(f"/api/v1/projects/{PROJECT}/api-keys", json={"role": "read"})).json()
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert (await two.get("/api/v1/replays", headers=headers)).status_code == 200
    answer = await one.delete(f"/api/v1/projects/{PROJECT}/api-keys/{made['id']}")
    assert answer.status_code in (200, 204)
    return await _until(lambda: _answers(two.get("/api/v1/replays", headers=headers), 401))


async def _sign_out(one: httpx.AsyncClient, two: httpx.AsyncClient) -> float:
    cookie = {"cookie": await _signed_in(one, {"key": ADMIN})}
    assert (await two.get("/api/v1/me", headers=cookie)).status_code == 200
    answer = await one.post("/api/v1/sign-out", headers=cookie | {"origin": str(one.base_url)})
    assert answer.status_code == 204
    return await _until(lambda: _answers(two.get("/api/v1/me", headers=cookie), 401))


async def _share(one: httpx.AsyncClient, two: httpx.AsyncClient, replay: str) -> float:
    link = (await one.post(replay + "/share", json={})).json()["url"]
    cookie = {"cookie": await _signed_in(two, {"share": link.partition("#share=")[2]})}
    assert (await two.get(replay, headers=cookie)).status_code == 200
    assert (await one.delete(replay + "/share")).status_code == 204
    return await _until(lambda: _answers(two.get(replay, headers=cookie), 401))


async def _signed_in(client: httpx.AsyncClient, body: dict[str, str]) -> str:
    answer = await client.post("/api/v1/sign-in", json=body, headers={"origin": str(client.base_url)})
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    return str(cookie)


async def _answers(request: Awaitable[httpx.Response], status: int) -> bool:
    return (await request).status_code == status


async def _is(request: Awaitable[httpx.Response], status: str) -> bool:
    answer = await request
    return answer.status_code == 200 and answer.json()["status"] == status


async def _until(look: Callable[[], Awaitable[bool]], within_s: float = TOLD_S) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    while not await look():
        assert time.monotonic() < began + within_s
        await asyncio.sleep(0.01)
    return round(time.monotonic() - began, 3)


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_processes_that_stop_hard_cost_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Sessions hop between the processes all the time (tests/faults/doors.py)."""
    redis, store = RedisServer(), S3Server()
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in (redis, store)))
        bucket = await asyncio.to_thread(store.new_bucket)
        async with Proxy.before(store.port) as way:
            settings = {f"PLAYHEAD_{name.upper()}": value for name, value in bucket.settings.items()}
            settings |= {"PLAYHEAD_S3_ENDPOINT_URL": way.url, "PLAYHEAD_PUT_TIMEOUT_S": "1"}
            settings |= {"PLAYHEAD_REDIS_URL": redis.url, **bucket.environment}
            with new_town(tmp_path, **settings) as town:
                await town.build(http=2, workers=2)
                await _stopped_hard(town, way)
                seen = await town.judge()
                assert seen["messages"] > 300
    finally:
        redis.close()
        store.close()


async def _stopped_hard(town: Town, way: Proxy) -> None:
    killed, living = town.http
    async with town.load(phones=6) as load:
        await load.until(messages=150)
        way.away = True
        way.cut()
        await _until(lambda: _has_spooled(town, processes=2), within_s=30)
        await asyncio.to_thread(killed.kill)  # with acknowledged data on its disk alone
        way.away = False
        await load.more(100)  # through the other one
        await asyncio.to_thread(killed.start)  # takes over the spool
        await _until(lambda: _has_spooled(town, processes=0), within_s=30)

        await asyncio.to_thread(town.workers[0].freeze)  # with whatever it has claimed
        await asyncio.to_thread(living.freeze)
        await asyncio.sleep(1)
        await asyncio.to_thread(living.thaw)
        await load.more(100)
        await asyncio.sleep(CLAIMS_EXPIRE_S)
        await asyncio.to_thread(town.workers[0].thaw)  # finds its claims lost
        await asyncio.to_thread(town.workers[1].kill)  # and whatever it had taken over
        await load.more(100)
        await asyncio.to_thread(town.workers[1].start)


async def _has_spooled(town: Town, *, processes: int) -> bool:
    """Whether segments of that many processes lie in the spool."""
    return len({path.parent for path in (town.folder / "spool").glob("*/*.seg")}) == processes
