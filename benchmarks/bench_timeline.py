"""Reading a one-hour session: 100,000 messages, 3,600 pictures, beside reading the same objects' bytes bare.

python -m benchmarks.bench_timeline [--messages 100000] [--frames 3600]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from benchmarks import machine
from benchmarks.bench_processing import PER_BATCH, body
from benchmarks.house import open_house
from messages import Limits, Picture, walk
from messages.unpack import unpack
from sessions.building import build, objects_of
from sessions.ids import SessionIds
from sessions.material import Material
from sessions.model import SessionStart
from storage.segment_file import Record
from workers.finalizer import Finalizer
from workers.runner import Worker

ROUNDS = 7
HOUR_MS = 3_600_000


async def _median_ms(work: Callable[[], Awaitable[Any]]) -> float:
    await work()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


async def run(messages: int, frames: int) -> None:
    """Print one table."""
    async with open_house() as (services, project_id):
        now_ms = services.clock() - HOUR_MS
        session_id = SessionIds().new(now_ms)
        start = SessionStart(platform="ios", user_uuid="user", device_name="iPhone 15", os="IOS")
        await services.journal.append(
            Record("start", project_id, session_id, now_ms * 1000, start.to_meta(), b"{}")
        )
        rng = random.Random(1)
        bodies = [body(rng, n * PER_BATCH, now_ms + n * 1440) for n in range(messages // PER_BATCH)]
        for n, content in enumerate(bodies):
            meta = {"plt": "ios"}
            received_ms = (
                now_ms + n * 1440 + PER_BATCH * 120
            )  # the device's clock is right, and its batches take no time
            await services.journal.append(
                Record("batch", project_id, session_id, received_ms * 1000, meta, content)
            )
        await asyncio.sleep(1)
        worker = Worker(services)
        while await worker.once():
            pass
        replays = services.replays
        live = await replays.find(session_id, [project_id])
        live_ms = await _median_ms(lambda: replays.timeline(live))
        finalizer = Finalizer(
            settings=services.settings, clock=services.clock, db=services.db, objects=services.objects
        )
        began = time.perf_counter()
        await finalizer.finalize(project_id, session_id)
        recorded_s = time.perf_counter() - began
        session = await replays.find(session_id, [project_id])
        prefix = f"recordings/{project_id}/{session_id}/{session.recording_name}/"

        async def bare() -> None:
            for name in ("timeline", "manifest"):
                await services.objects.get(prefix + name)

        timeline = await replays.timeline(session)
        timeline_ms = await _median_ms(lambda: replays.timeline(session))
        bare_ms = await _median_ms(bare)
        page_ms = await _median_ms(lambda: replays.messages(session, limit=1000))
        print(f"{messages:,} messages; timeline {len(timeline.content):,} bytes gzip")
        print(f"recording made            {recorded_s * 1000:>9,.0f} ms")
        print(f"timeline, recorded        {timeline_ms:>9,.1f} ms")
        print(f"  bare read of its bytes  {bare_ms:>9,.1f} ms   ratio {timeline_ms / bare_ms:,.0f}")
        print(f"timeline, live            {live_ms:>9,.1f} ms")
        print(f"1,000 messages, recorded  {page_ms:>9,.1f} ms")
    _pictures(bodies, now_ms, frames)


def _pictures(bodies: list[bytes], now_ms: int, frames: int) -> None:
    """What a recording with pictures costs to build, apart from storing it."""
    material = Material()
    limits = Limits()
    for content in bodies:
        material.add_messages(walk(unpack(content, limits.max_unpacked_bytes).data, limits).frames)
    rng = random.Random(2)
    screens = [b"\xff\xd8\xff" + rng.randbytes(30_000) for _ in range(frames // 3)]
    material.add_pictures(Picture(now_ms + n * 1000, "jpeg", screens[n // 3]) for n in range(frames))
    from sessions.model import new_session

    began = time.perf_counter()
    built = build(new_session(1, 1), material)
    size = sum(len(content) for _, content in objects_of(built, material, 8_000_000))
    spent = time.perf_counter() - began
    material.close()
    print(
        f"{frames:,} pictures, every third new: {size / 1e6:,.1f} MB of objects built in {spent * 1000:,.0f} ms"
    )


def main() -> None:
    """Entry."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=100_000)
    arguments.add_argument("--frames", type=int, default=3_600)
    chosen = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"machine: {machine.describe()}")
    asyncio.run(run(chosen.messages, chosen.frames))


if __name__ == "__main__":
    main()
