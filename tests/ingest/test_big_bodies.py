"""Bodies that cost something are read beside the event loop, and only so many at once."""

from __future__ import annotations

import asyncio
import gzip
import threading

import pytest

from ingest.big_bodies import AT_ONCE, OFF_LOOP_BYTES, work_on


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        (b"", False),
        (b"x" * OFF_LOOP_BYTES, False),
        (b"x" * (OFF_LOOP_BYTES + 1), True),
        (gzip.compress(b""), True),
    ],
    ids=["empty", "small", "large", "packed"],
)
async def test_what_may_take_long_is_done_beside_the_loop(body, beside):
    assert (await work_on(body, threading.get_ident) != threading.get_ident()) is beside


async def test_only_so_many_are_read_at_once():
    full = threading.Barrier(AT_ONCE + 1)
    running = 0
    most = 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        full.wait(10)
        full.wait(10)
        running -= 1

    body = b"x" * (OFF_LOOP_BYTES + 1)
    tasks = [asyncio.create_task(work_on(body, work)) for _ in range(2 * AT_ONCE)]
    for _ in range(2):
        await asyncio.to_thread(full.wait, 10)
        assert running == AT_ONCE
        await asyncio.to_thread(full.wait, 10)
    await asyncio.gather(*tasks)
    assert most == AT_ONCE
