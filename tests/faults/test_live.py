"""A live session can be read within two seconds of the acknowledgement, through all processes."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from messages.schema import MobileEvent
from tests.faults.book import now_ms
from tests.faults.raw_phone import RawPhone
from tests.faults.town import PROJECT, new_town

TRIES = 5


@pytest.mark.crash
async def test_what_was_acknowledged_can_be_read_within_two_seconds(tmp_path) -> None:
    with new_town(tmp_path, PLAYHEAD_SESSION_QUIET_S="60") as town:
        await town.build()
        async with town.client() as client, RawPhone.open(town.url, PROJECT, town.book) as phone:
            assert await phone.start() == 200
            waits = [await _wait(client, phone, f"mark-{number}") for number in range(TRIES)]
        assert sorted(waits)[TRIES // 2] < 2


async def _wait(client: httpx.AsyncClient, phone: RawPhone, name: str) -> float:
    """Seconds from the acknowledgement of an event to its being readable."""
    assert await phone.batch([(now_ms(), MobileEvent(name, ""))]) == 200
    acknowledged = time.monotonic()
    while time.monotonic() - acknowledged < 20:
        answer = await client.get(
            f"/api/v1/replays/{phone.session_id}/messages", params={"type": "93", "limit": "1000"}
        )
        if any(message["fields"]["Name"] == name for message in answer.json().get("messages", ())):
            return time.monotonic() - acknowledged
        await asyncio.sleep(0.02)
    raise AssertionError("never readable")
