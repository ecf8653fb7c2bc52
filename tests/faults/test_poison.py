"""Poison among a thousand good records: one that raises, one that eats memory, one that hangs its worker.

All of them are real bodies on the real way in. The raising one meets a constraint of the database; the others are a
batch of 300,000 events, once under a watcher that kills a worker for its memory as a kernel does, once under a
watchdog whose limit it exceeds. For that the workers' bounds on a batch are lifted.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from messages import encode, encode_batch
from messages.schema import MobileEvent
from tests.faults.book import now_ms
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import children, endings, supervised
from tests.faults.town import PROJECT, Playhead, Town, new_town
from workers.runner import EXIT_HUNG

PHONES = 10
BATCHES = 50  # of each phone, twice
MESSAGES = 300_000
SOON_S = 60
MEMORY_BYTES = 170_000_000  # a worker beyond it is killed
UNBOUND = {"PLAYHEAD_MAX_MESSAGES": "10000000", "PLAYHEAD_MAX_UNPACKED_BYTES": "1000000000"}


def huge_batch() -> bytes:
    """Hundreds of thousands of messages in some 100 KB."""
    at_ms = now_ms()
    framed = [encode(MobileEvent("x" * 30, "{}"), timestamp=at_ms)] * MESSAGES
    return gzip.compress(encode_batch(0, at_ms, framed))


async def good_and_bad(
    phones: list[RawPhone], poison: RawPhone, body: bytes, raising: RawPhone | None
) -> None:
    """Five hundred good batches, and the bad ones in their midst."""
    for number in range(BATCHES):
        statuses = await asyncio.gather(*(phone.say(2) for phone in phones))
        if number == BATCHES // 2:
            statuses.append(await poison.post("batch", "/v1/mobile/i", body, []))
            if raising is not None:
                statuses.append(await raising.say(1))
        assert set(statuses) == {200}


async def letters(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """The dead letters, once there are as many; soon."""
    deadline = time.monotonic() + SOON_S
    while True:
        found: list[dict[str, Any]] = (await client.get("/api/v1/dead-letters")).json()["dead_letters"]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def workers(town: Town, **settings: str) -> AsyncIterator[Playhead]:
    """Two workers and their supervisor."""
    program = supervised(town, "work", **settings)
    program.start()
    try:
        yield program
    finally:
        await asyncio.to_thread(program.stop)


@contextlib.asynccontextmanager
async def killed_for_memory(program: Playhead) -> AsyncIterator[None]:
    """Kills workers beyond MEMORY_BYTES, as the kernel would in a container of that size."""

    async def watch() -> None:
        while True:
            for child in children(program):
                with contextlib.suppress(psutil.Error):
                    if child.memory_info().rss > MEMORY_BYTES:
                        child.kill()
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_poison_is_tried_three_times_at_most_and_holds_up_none_of_a_thousand(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await town.build(workers=0)
        async with contextlib.AsyncExitStack() as stack:
            client = await stack.enter_async_context(town.client())
            opened = [
                await stack.enter_async_context(RawPhone.open(town.url, PROJECT, town.book))
                for _ in range(PHONES + 3)
            ]
            for phone in opened:
                assert await phone.start() == 200
            raising, eating, hanging, *phones = opened
            body = huge_batch()
            db = await asyncpg.connect(town.postgres.dsn)
            stack.push_async_callback(db.close)
            await db.execute(
                f"ALTER TABLE parts ADD CONSTRAINT poison CHECK (session_id <> {raising.session_id})"
            )

            async with workers(town, PLAYHEAD_CLAIM_TIMEOUT_S="20", **UNBOUND) as program:
                async with killed_for_memory(program):
                    await good_and_bad(phones, eating, body, raising)
                    found = await letters(client, 2)
                statuses = endings(program)
            assert set(statuses) == {-9} and len(statuses) <= 3, statuses
            assert {(letter["session_id"], letter["reason"]) for letter in found} == {
                (raising.session_id, "failed: CheckViolationError"), (eating.session_id, "ended the worker"),
            }  # fmt: skip

            async with workers(town, PLAYHEAD_CLAIM_TIMEOUT_S="1.2", **UNBOUND) as program:
                await good_and_bad(phones, hanging, body, None)
                newest = (await letters(client, 3))[0]
                statuses = endings(program)
            assert set(statuses) == {EXIT_HUNG} and len(statuses) <= 3, statuses
            assert (newest["session_id"], newest["reason"]) == (hanging.session_id, "ended the worker")

            await db.execute("ALTER TABLE parts DROP CONSTRAINT poison")
            async with workers(town) as program:
                number = await town.book.tried("batch", raising.session_id)
                (failed,) = (letter for letter in found if letter["session_id"] == raising.session_id)
                answer = await client.post(f"/api/v1/dead-letters/{failed['id']}/retry")
                await town.book.answered(number, answer.status_code)
                seen = await town.judge()
                assert endings(program) == []
                shown = await client.get(f"/api/v1/replays/{raising.session_id}/messages")
                assert len(shown.json()["messages"]) == 1
        assert seen["messages"] >= 2 * 2 * PHONES * BATCHES
