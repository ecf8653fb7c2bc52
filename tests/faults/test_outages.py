"""What Playhead stands on goes away under load and comes back: ingest goes on or says so, nothing is lost."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from storage.migrate import migrate
from tests.faults.town import ADMIN, new_town
from tests.servers import RedisServer, S3Server

OUTAGE_S = 30


@pytest.mark.crash
@pytest.mark.timeout(300)
async def test_ingest_goes_on_while_postgres_is_away_for_half_a_minute(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await migrate(town.postgres.dsn)
        town.build()
        async with town.loaded(8):
            await asyncio.sleep(2)
            await asyncio.to_thread(town.postgres.stop)
            before = sum(len(phone.acknowledged) for phone in town.phones)
            await asyncio.sleep(OUTAGE_S)
            during = sum(len(phone.acknowledged) for phone in town.phones) - before
            await asyncio.to_thread(town.postgres.start)
            await asyncio.sleep(2)
        assert during > 500
        assert all(not phone.refused for phone in town.phones)
        await town.settle()
        await town.judge()


@pytest.mark.crash
@pytest.mark.timeout(200)
async def test_redis_flushed_stopped_and_back_changes_nothing_that_is_seen(tmp_path) -> None:
    redis = RedisServer()
    redis.start()
    try:
        with new_town(tmp_path, PLAYHEAD_REDIS_URL=redis.url) as town:
            await migrate(town.postgres.dsn)
            town.build()
            async with town.loaded(6):
                await asyncio.sleep(2)
                redis.ask("FLUSHALL")
                await asyncio.sleep(1)
                await asyncio.to_thread(redis.stop)
                await asyncio.sleep(4)
                async with httpx.AsyncClient(timeout=5) as client:
                    answer = await client.post(
                        town.url + "/v1/mobile/start",
                        json={"projectKey": "town", "trackerVersion": "1.0.22", "timestamp": 1},
                    )
                    assert answer.status_code == 200
                await asyncio.to_thread(redis.start)
                await asyncio.sleep(2)
            assert all(not phone.refused for phone in town.phones)
            await town.settle()
            await town.judge()
    finally:
        redis.close()


@pytest.mark.crash
@pytest.mark.timeout(240)
async def test_a_store_that_is_away_is_bridged_by_the_spool_and_then_refused(tmp_path, monkeypatch) -> None:
    server = S3Server()
    server.start()
    bucket = server.new_bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    settings = {f"PLAYHEAD_{name.upper()}": value for name, value in bucket.settings.items()}
    settings |= {"PLAYHEAD_PUT_TIMEOUT_S": "1", "PLAYHEAD_SPOOL_MAX_BYTES": "400000"}
    try:
        with new_town(tmp_path, **settings) as town:
            await migrate(town.postgres.dsn)
            town.build()
            async with town.loaded(6):
                await asyncio.sleep(3)
                await asyncio.to_thread(server.stop)
                before = sum(len(phone.acknowledged) for phone in town.phones)
                await asyncio.sleep(6)
                assert sum(len(phone.acknowledged) for phone in town.phones) > before  # into the spool
                deadline = time.monotonic() + 60
                while not any(phone.refused for phone in town.phones):  # the spool is full
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.2)
                await asyncio.to_thread(server.start)
            assert {code for phone in town.phones for code in phone.refused} == {503}
            await town.settle()
            await town.judge()
    finally:
        server.close()


@pytest.mark.crash
async def test_a_full_queue_answers_503_with_retry_after_and_recovers(tmp_path) -> None:
    with new_town(tmp_path, PLAYHEAD_JOURNAL_INFLIGHT_BYTES="300000") as town:
        await migrate(town.postgres.dsn)
        town.build()
        async with town.loaded(1):
            await asyncio.wait_for(town.phones[0].started.wait(), 20)
            token = town.phones[0].token
            async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=100)) as client:
                answers = await asyncio.gather(*(_post(client, town.url, token) for _ in range(60)))
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused and all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert {answer.status_code for answer in answers} == {200, 503}
        await town.settle()
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {ADMIN}"}, timeout=20) as client:
            answer = await _post(client, town.url, token)
            assert answer.status_code == 200


async def _post(client: httpx.AsyncClient, url: str, token: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await client.post(url + "/v1/mobile/i", content=b"\x00" * 100_000, headers=headers)
