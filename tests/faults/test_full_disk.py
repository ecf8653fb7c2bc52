"""A real volume filled to its last byte and freed again: refused in words meanwhile, nothing lost, no restart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.faults.raw_phone import RawPhone
from tests.faults.town import LONG, PROJECT, Town, new_town
from tests.servers import small_volume

VOLUME_BYTES = 100_000_000
RESERVE_BYTES = 4_000_000
FULL_S = 120 if LONG else 3
START = {
    "projectKey": PROJECT,
    "trackerVersion": "1.0.22",
    "platform": "ios",
    "timestamp": 1,
    "userUUID": "u",
}


@pytest.mark.crash
@pytest.mark.timeout(600 if LONG else 200)
async def test_a_volume_without_a_free_byte_loses_nothing_and_goes_on_when_it_has_some(tmp_path) -> None:
    """Messages and events alone: pictures of recorded sessions would go to make room, as they should."""
    with (
        small_volume(tmp_path / "volume", VOLUME_BYTES) as volume,
        new_town(volume, PLAYHEAD_DISK_RESERVE_BYTES=str(RESERVE_BYTES)) as town,
    ):
        await town.build()
        async with town.load(phones=0, senders=2) as load, _talking(town, phones=3):
            await load.until(messages=30, events=30)
            before = [process.pid for process in town.processes]
            async with RawPhone.open(town.url, PROJECT, town.book) as phone:
                assert await phone.start() == 200
                async with _full(volume):
                    await _refused_in_words(town, phone)
                    await asyncio.sleep(FULL_S)
                    await _refused_in_words(town, phone)
            await load.more(60)
            assert before == [process.pid for process in town.processes]
        assert load.statuses("batch").keys() == {200, 503}
        await town.judge()


@contextlib.asynccontextmanager
async def _talking(town: Town, phones: int) -> AsyncIterator[None]:
    """Phones that go on whatever is answered."""

    async def talk() -> None:
        async with RawPhone.open(town.url, PROJECT, town.book) as phone:
            assert await phone.start() == 200
            while not enough.is_set():
                await phone.say(2)
                await asyncio.sleep(0.05)

    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(phones):
            group.create_task(talk())
        yield
        enough.set()


@contextlib.asynccontextmanager
async def _full(volume: Path) -> AsyncIterator[None]:
    """Each byte that comes free is taken at once."""

    async def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            while True:
                with contextlib.suppress(OSError):
                    while file.write(bytes(100_000)):
                        pass
                await asyncio.sleep(0.02)

    ballast = volume / "ballast"
    filling = asyncio.create_task(fill())
    try:
        yield
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        ballast.unlink()


async def _say(town: Town, phone: RawPhone, client: httpx.AsyncClient) -> httpx.Response:
    """A batch that is not one, which would be put aside if it was taken."""
    number = await town.book.tried("batch", phone.session_id)
    headers = {"authorization": f"Bearer {phone.token}"}
    answer = await client.post("/v1/mobile/i", content=number.to_bytes(8, "big"), headers=headers)
    await town.book.answered(number, answer.status_code)
    return answer


async def _refused_in_words(town: Town, running: RawPhone) -> None:
    """No session begins, running ones are put off, and the health page says why."""
    async with town.client() as client:
        put_off = await _until(lambda: _say(town, running, client), "storage_unavailable")
        assert put_off.status_code == 503 and int(put_off.headers["retry-after"]) > 0
        began = await _until(lambda: client.post("/v1/mobile/start", json=START), "storage_full")
        assert began.status_code == 503 and int(began.headers["retry-after"]) > 0
        looked = await _until(lambda: client.get("/readyz"), "unavailable")
        ready = looked.json()
        assert looked.status_code == 503 and ready["status"] == "unavailable"
        assert ready["dependencies"]["journal"]["state"] == "down"
        disk = ready["dependencies"]["disk"]
        assert (disk["state"], disk["detail"]) == ("down", "100% used") and "free some space" in disk["mend"]


async def _until(ask: Callable[[], Awaitable[httpx.Response]], word: str) -> httpx.Response:
    """Ask until the answer says so: levels are looked at every two seconds."""
    async with asyncio.timeout(30):
        while True:
            answer = await ask()
            if word in answer.text:
                return answer
            await asyncio.sleep(0.1)
