"""Devices whose clocks are years off, stand at the end of all numbers, jump back, or run away during a session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.faults.book import now_ms
from tests.faults.raw_phone import RawPhone
from tests.faults.town import PROJECT, Town, new_town

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS
BATCHES = 6
PAUSE_S = 0.5
#: how far from the truth the list may put a session's start
SLACK_MS = 300_000
MAX_DURATION_MS = 24 * HOUR_MS

#: from the true time and the batch's number (0..5) to what the device thinks
CLOCKS: dict[str, Callable[[int, int], int]] = {
    "right": lambda true_ms, _: true_ms,
    "ten years ahead": lambda true_ms, _: true_ms + 10 * YEAR_MS,
    "ten years behind": lambda true_ms, _: true_ms - 10 * YEAR_MS,
    "at the epoch": lambda true_ms, number: number * 500 + 1,
    "at the end of all numbers": lambda true_ms, number: (1 << 63) + number * 500,
    "drifting a day an hour": lambda true_ms, number: true_ms + int(number * PAUSE_S * 24_000),
    "jumping an hour ahead": lambda true_ms, number: true_ms + (HOUR_MS if number >= 3 else 0),
    "jumping an hour back": lambda true_ms, number: true_ms - (HOUR_MS if number >= 3 else 0),
}


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_wrong_clocks_shift_a_session_once_and_change_nothing_else(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build()
        began_ms = now_ms()
        sessions = dict(
            zip(CLOCKS, await asyncio.gather(*(_live(town, name) for name in CLOCKS)), strict=True)
        )
        await town.judge()
        async with town.client() as client:
            for name, (session, order) in sessions.items():
                replay = (await client.get(f"/api/v1/replays/{session}")).json()
                assert 0 <= replay["duration_ms"] <= MAX_DURATION_MS, name
                assert abs(replay["started_ms"] - began_ms) < SLACK_MS, (
                    name,
                    replay["started_ms"] - began_ms,
                )
                await _in_order(client, session, order, replay["clock_offset_ms"], name)
        assert await _partitions_beyond(town, began_ms + YEAR_MS) == []


async def _live(town: Town, name: str) -> tuple[str, list[int]]:
    """A session on that clock -> its id and the device times of its messages in the order in which they were made."""
    clock, order = CLOCKS[name], []
    async with RawPhone.open(town.url, PROJECT, town.book, name=f"clock {name}") as phone:
        assert await phone.start(clock(now_ms(), 0)) == 200
        for number in range(BATCHES):
            device_ms = clock(now_ms(), number)
            messages = phone.messages(4, device_ms)
            order += [at_ms for at_ms, _ in messages]
            assert await phone.batch(messages, meta_ms=device_ms + 4) == 200
            if device_ms < 1 << 42:  # a tar cannot hold later times
                assert await phone.show(1, device_ms + 2) == 200
            await asyncio.sleep(PAUSE_S)
    return phone.session_id, order


async def _in_order(
    client: httpx.AsyncClient, session: str, order: list[int], offset_ms: int, name: str
) -> None:
    """By the device's time, which is still shown, and one shift for all."""
    page = (await client.get(f"/api/v1/replays/{session}/messages")).json()
    device = [each["device_timestamp_ms"] for each in page["messages"]]
    assert device == sorted(order), name
    if max(order) < 1 << 62:  # later times cannot be shifted any more
        shifts = {each["timestamp_ms"] - each["device_timestamp_ms"] for each in page["messages"]}
        assert shifts == {offset_ms}, name


async def _partitions_beyond(town: Town, at_ms: int) -> list[Any]:
    """Day partitions of the far future: a clock must not make any."""
    conn = await asyncpg.connect(town.postgres.dsn)
    try:
        day = time.strftime("%Y%m%d", time.gmtime(at_ms / 1000))
        query = "SELECT relname FROM pg_class WHERE relname ~ '[0-9]{8}$' AND right(relname, 8) > $1"
        return [row["relname"] for row in await conn.fetch(query, day)]
    finally:
        await conn.close()
