"""Little memory: a container's, with three times the load and bodies that fill it. Refused in time, nobody is killed.

Without its bound by the memory (playhead/memory_limit.py) the HTTP process is killed by the kernel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from client.transport import HttpTransport, open_http_client
from storage.migrate import migrate
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import until
from tests.faults.town import LONG, PROJECT, Playhead, Town, new_town
from tests.servers import memory_cage, times_killed

CAGE_BYTES = 300_000_000
PHONES = 15 if LONG else 8
BODIES = 400  # at once
BODY_BYTES = 1_000_000
ROUNDS = 10 if LONG else 1
RECOVERED_S = 30


class Caged(Playhead):
    """One that lives in the cage."""

    cage: Path

    def command(self) -> list[str]:
        return ["/bin/sh", "-c", f'echo $$ > {self.cage}/cgroup.procs; exec "$@"', "sh", *super().command()]


@pytest.mark.crash
@pytest.mark.timeout(1200 if LONG else 300)
async def test_little_memory_refuses_bodies_and_kills_nobody(tmp_path: Path) -> None:
    with memory_cage(CAGE_BYTES) as cage, new_town(tmp_path) as town:
        await migrate(town.postgres.dsn)
        for role, into in (("http", town.http), ("work", town.workers)):
            caged = Caged(role, town.variables)
            caged.cage = cage
            into.append(caged)
            await asyncio.to_thread(caged.start)
        await town.build(http=0, workers=0)
        before = [each.pid for each in town.processes]
        async with town.load(PHONES) as load, open_http_client(BODIES) as client:
            await load.until(messages=500)
            phone = RawPhone(HttpTransport(client, town.url), PROJECT, town.book)
            assert await phone.start() == 200
            for _ in range(ROUNDS):
                assert await _bodies(client, town, phone) == {200, 503}
                await _recovered(phone)
            await load.more(300)
        assert times_killed(cage) == 0
        assert before == [each.pid for each in town.processes]
        await town.judge()
        async with httpx.AsyncClient(base_url=town.url, trust_env=False) as anyone:
            assert (await anyone.get("/readyz")).json()["status"] == "ready"


async def _bodies(client: httpx.AsyncClient, town: Town, phone: RawPhone) -> set[int]:
    """All at once, held back before their ends until each is there or refused -> how they were answered. They are no
    batches: the dead letters have them, or nobody.
    """
    ends = asyncio.Event()
    there: set[int] = set()

    async def body(number: int) -> AsyncIterator[bytes]:
        yield b"\0" * (BODY_BYTES - 1)
        there.add(number)
        await ends.wait()
        yield b"\0"

    async def send() -> int:
        number = await town.book.tried("batch", phone.session_id)
        headers = {"authorization": f"Bearer {phone.token}", "content-length": str(BODY_BYTES)}
        answer = await client.post(town.url + "/v1/mobile/i", content=body(number), headers=headers)
        await town.book.answered(number, answer.status_code)
        there.add(number)
        return answer.status_code

    sends = [asyncio.create_task(send()) for _ in range(BODIES)]
    await until(lambda: len(there) == BODIES)
    ends.set()
    return set(await asyncio.gather(*sends))


async def _recovered(phone: RawPhone) -> None:
    """What is small is taken again."""
    began = time.monotonic()
    while await phone.say(5) != 200:
        assert time.monotonic() - began < RECOVERED_S
        await asyncio.sleep(0.2)
