"""kill -9 at random moments under load: nothing acknowledged is lost, nothing is there twice, the ledger balances."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.faults.town import LONG, new_town

KILLS = 100 if LONG else 10


@pytest.mark.crash
@pytest.mark.timeout(1800 if LONG else 400)
async def test_kills_under_load_lose_and_double_nothing(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build(http=2, workers=1)
        dice = random.Random(town.seed)
        async with town.load(phones=10 if LONG else 6) as load:
            await load.until(messages=100)
            for _ in range(KILLS):
                await asyncio.sleep(0.1 + dice.random() * 0.6)
                victim = dice.choice(town.processes)
                await asyncio.to_thread(victim.kill)
                await asyncio.to_thread(victim.start)
        seen = await town.judge()
        assert seen["messages"] > 300 and seen["pictures"] > 10 and seen["events"] > 30
