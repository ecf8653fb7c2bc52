"""What Playhead stands on goes away under load and comes back: ingest goes on or says so, nothing is lost."""

from __future__ import annotations

import asyncio

import asyncpg
import httpx
import pytest

from tests.faults.raw_phone import RawPhone
from tests.faults.town import LONG, PROJECT, WARM, Load, Town, new_town
from tests.servers import RedisServer

AWAY_S = 600 if LONG else 6
FROZEN_S = 60 if LONG else 5


@pytest.mark.crash
@pytest.mark.timeout(1800 if LONG else 400)
async def test_ingest_goes_on_while_postgres_is_restarted_away_frozen_and_cut_off(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build()
        async with town.load(5) as load:
            await load.until(messages=WARM)
            await town.remember()
            await asyncio.to_thread(town.postgres.stop)
            await _goes_on(load, AWAY_S)
            await asyncio.to_thread(town.postgres.start)
            await load.more(100)
            await asyncio.to_thread(town.postgres.stop)
            await asyncio.to_thread(town.postgres.start)
            await load.more(100)
            await asyncio.to_thread(town.postgres.freeze)
            await _goes_on(load, FROZEN_S)
            await asyncio.to_thread(town.postgres.thaw)
            for _ in range(5):
                await load.more(30)
                await _cut_connections(town)
            await load.more(100)
        assert set(load.statuses("batch")) | set(load.statuses("images")) == {200}
        await town.judge()


async def _goes_on(load: Load, seconds: float) -> None:
    """Batches and archives are taken for that long (who asks for an event's id must wait for the database)."""
    before = load.statuses("batch")[200]
    await asyncio.sleep(seconds)
    assert load.statuses("batch")[200] > before


async def _cut_connections(town: Town) -> None:
    conn = await asyncpg.connect(town.postgres.dsn)
    try:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
    finally:
        await conn.close()


@pytest.mark.crash
@pytest.mark.timeout(1200 if LONG else 300)
async def test_redis_flushed_stopped_and_back_changes_nothing_that_is_seen(tmp_path) -> None:
    redis = RedisServer()
    redis.start()
    try:
        with new_town(tmp_path, PLAYHEAD_REDIS_URL=redis.url) as town:
            await town.build(http=2)
            async with town.load(4) as load:
                await load.until(messages=WARM)
                await town.remember()
                redis.ask("FLUSHALL")
                await load.more(100)
                await asyncio.to_thread(redis.stop)
                await load.more(100)
                await asyncio.sleep(300 if LONG else 2)
                async with RawPhone.open(town.url, PROJECT, town.book) as phone:
                    assert await phone.start() == 200
                await asyncio.to_thread(redis.start)  # empty
                await load.more(100)
            assert set(load.statuses()) == {200, 202}
            await town.judge()
    finally:
        redis.close()


@pytest.mark.crash
async def test_a_full_queue_answers_503_with_retry_after_and_recovers(tmp_path) -> None:
    with new_town(tmp_path, PLAYHEAD_JOURNAL_INFLIGHT_BYTES="300000") as town:
        await town.build()
        async with RawPhone.open(town.url, PROJECT, town.book) as phone:
            assert await phone.start() == 200
            async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=100)) as client:
                answers = await asyncio.gather(*(_post(client, phone, town) for _ in range(60)))
            refused = [answer for answer in answers if answer.status_code == 503]
            assert refused and all(int(answer.headers["retry-after"]) > 0 for answer in refused)
            assert {answer.status_code for answer in answers} == {200, 503}
            assert await phone.say(5) == 200
        await town.judge()


async def _post(client: httpx.AsyncClient, phone: RawPhone, town: Town) -> httpx.Response:
    """A batch that is not one: taken or refused, and, if taken, put aside with its reason."""
    number = await town.book.tried("batch", phone.session_id)
    headers = {"authorization": f"Bearer {phone.token}"}
    answer = await client.post(
        town.url + "/v1/mobile/i", content=number.to_bytes(8, "big") + b"\x00" * 100_000, headers=headers
    )
    await town.book.answered(number, answer.status_code)
    return answer
