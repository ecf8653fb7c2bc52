"""Answers that are lost, data out of order, twice, in other groups, and long after the end: the same session."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.faults.book import now_ms
from tests.faults.proxy import Proxy
from tests.faults.raw_phone import RawPhone
from tests.faults.stories import Told, shown, story
from tests.faults.town import LONG, PROJECT, WARM, Town, new_town

LOAD_S = 120 if LONG else 8
HELD_BACK_S = 600 if LONG else 0  # after the recording was made
LOSES = 0.3


@pytest.mark.crash
@pytest.mark.timeout(600)
async def test_a_third_of_the_answers_lost_doubles_and_loses_nothing(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build()
        async with Proxy.before(town.http[0].port, town.seed) as road:
            async with town.load(phones=8, urls=[road.url]) as load:
                await load.until(messages=WARM)
                await town.remember()
                road.lose_answers = LOSES
                await load.more(100)
                await asyncio.sleep(LOAD_S)
            assert road.lost > 20
            await _the_same_story_over(road, town)
        await town.judge()


async def _the_same_story_over(road: Proxy, town: Town) -> None:
    """Messages, counts and findings equal those of a run without a fault, exactly."""
    told = story("lossy", now_ms() - 60_000)
    seen = []
    for url in (town.url, road.url):
        road.lose_answers = 0.0
        async with RawPhone.open(url, PROJECT, town.book, name="lossy") as phone, town.client() as client:
            assert await phone.start(told[0][0]) == 200
            road.lose_answers = LOSES
            dice, queue = Random(town.seed), list(told)
            while queue:
                size = dice.randint(1, 30)  # another grouping each time
                if await phone.batch(queue[:size]) == 200:
                    del queue[:size]
            seen.append(await shown(client, phone.session_id, len(told)))
    assert seen[0] == seen[1]
    assert {issue[0] for issue in seen[0]["issues"]} >= {"crash", "tap_rage"}


@pytest.mark.crash
@pytest.mark.timeout(900)
async def test_shuffled_doubled_and_very_late_data_make_the_session_that_order_makes(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build(workers=2)
        told = story("order", now_ms() - 60_000)
        dice = Random(town.seed)
        seen = []
        async with town.client() as client:
            for orderly in (True, False):
                async with RawPhone.open(town.url, PROJECT, town.book, name="order") as phone:
                    assert await phone.start(told[0][0]) == 200
                    if orderly:
                        await _send(phone, told)
                    else:
                        await _send_badly(phone, told, dice, town)
                seen.append(await shown(client, phone.session_id, len(told)))
        assert seen[0] == seen[1]
        await town.judge()


async def _send(phone: RawPhone, told: Told) -> None:
    for at in range(0, len(told), 20):
        assert await phone.batch(told[at : at + 20], meta_ms=told[at][0] + 5_000) == 200


async def _send_badly(phone: RawPhone, told: Told, dice: Random, town: Town) -> None:
    """In any order and in overlapping groups; a quarter through `/late`, when the recording is made already."""
    groups = [told[at : at + dice.randint(10, 25)] for at in range(0, len(told), 10)]
    dice.shuffle(groups)
    early = groups[: len(groups) * 3 // 4]
    for group in early:
        assert await phone.batch(group, meta_ms=group[0][0] + 5_000) == 200
    sent = len({id(each) for group in early for each in group})
    async with town.client() as client:
        await shown(client, phone.session_id, sent)
    await asyncio.sleep(HELD_BACK_S)
    for group in groups[len(early) :]:
        path = dice.choice(("/v1/mobile/late", "/v1/mobile/i"))
        assert await phone.batch(group, meta_ms=group[0][0] + 5_000, path=path) == 200
