"""kill -9 at random moments under load: nothing acknowledged is lost, nothing is there twice, the ledger balances."""

from __future__ import annotations

import asyncio
import random
import time

import httpx
import pytest

from storage.migrate import migrate
from tests.faults.town import ADMIN, new_town

KILLS = 30


@pytest.mark.crash
@pytest.mark.timeout(420)
async def test_thirty_kills_under_load_lose_and_double_nothing(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await migrate(town.postgres.dsn)
        town.build(workers=1)
        rng = random.Random(town.seed)
        async with town.loaded(10):
            for number in range(KILLS):
                await asyncio.sleep(0.1 + rng.random() * 0.6)
                victim = town.workers[0] if number % 3 == 2 else town.http[0]
                await asyncio.to_thread(victim.kill)
                await asyncio.to_thread(victim.start)
        await town.settle()
        seen = await town.judge()
        assert seen["messages"] > 1000 and seen["pictures"] > 10
        await _ready_soon(town)


async def _ready_soon(town) -> None:
    """All sessions become recordings, with the same content."""
    deadline = time.monotonic() + 60
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(headers=headers, timeout=20) as client:
        while True:
            answer = await client.get(town.url + "/api/v1/replays?project=town&limit=100")
            states = [replay["status"] for replay in answer.json()["replays"]]
            assert len(states) == len(town.phones)
            if set(states) == {"ready"}:
                break
            assert time.monotonic() < deadline, states
            await asyncio.sleep(0.5)
    await town.judge()
