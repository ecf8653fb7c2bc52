"""A record that raises, one that ends its worker, one that hangs it: each is put aside, all others are stored."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time

import pytest

from tests.faults.poison import KINDS, Poison
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import endings, supervised, until
from tests.faults.town import LONG, PROJECT, Town, new_town
from workers.watchdog import EXIT_HUNG

CLAIM_S = "20"  # the least at which a worker that hangs ends before its claims
PHONES, BATCHES = 10, 100
#: what raises may be tried in a bundle of segments, twice in its own, and alone; one try less for what ends a worker
TRIES = {"raises": 4, "eats": 3, "hangs": 3}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the poison looks through /proc")


@pytest.mark.crash
@pytest.mark.timeout(120)
async def test_a_record_that_hangs_is_in_one_workers_hands_at_a_time(tmp_path) -> None:
    poison = Poison(tmp_path / "notes")
    with new_town(tmp_path, PLAYHEAD_CLAIM_TIMEOUT_S=CLAIM_S, **poison.variables) as town:
        await town.build(workers=0)
        program = supervised(town, "work")
        await _send(town, "hangs")
        await asyncio.to_thread(program.start)
        await until(lambda: poison.tries("hangs") == 2)
        assert not poison.spread
        assert endings(program) == [EXIT_HUNG]


@pytest.mark.crash
@pytest.mark.skipif(not LONG, reason="takes two minutes: FAULTS=long")
@pytest.mark.timeout(600)
async def test_poison_among_a_thousand_good_records_costs_none_of_them(tmp_path) -> None:
    poison = Poison(tmp_path / "notes")
    settings = {"PLAYHEAD_CLAIM_TIMEOUT_S": "60", "PLAYHEAD_SEGMENT_MAX_AGE_MS": "30000"}  # few segments
    with new_town(tmp_path, **settings, **poison.variables) as town:
        await town.build(workers=0)
        await asyncio.gather(
            *(_send(town, f"good{number}", BATCHES) for number in range(PHONES)), *_late(town)
        )
        town.http[0].variables["PLAYHEAD_SEGMENT_MAX_AGE_MS"] = "50"
        await asyncio.to_thread(town.http[0].stop)
        await asyncio.to_thread(town.http[0].start)
        program = supervised(town, "work")
        began = time.monotonic()
        await asyncio.to_thread(program.start)
        await until(lambda: poison.tries("hangs") > 0, within_s=120)
        await _others_go_on(town, poison)
        seen = await town.judge(patience_s=240)
        print(f"all stored or put aside after {time.monotonic() - began:.0f} s; ends: {endings(program)}")
        assert seen["dead_letters"] == seen["quarantined messages"] == len(KINDS)
        assert seen["messages"] >= PHONES * BATCHES
        assert not poison.spread
        assert all(poison.tries(kind) <= TRIES[kind] for kind in KINDS)
        assert set(endings(program)) == {EXIT_HUNG, -signal.SIGKILL} and len(endings(program)) <= 6
        async with town.client() as client:
            letters = (await client.get("/api/v1/dead-letters")).json()["dead_letters"]
        reasons = sorted(each["reason"] for each in letters)
        assert reasons == ["ended the worker", "ended the worker", "failed: RuntimeError"]


def _late(town: Town) -> list[asyncio.Task[None]]:
    """The poison, while the others send."""

    async def later(kind: str, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        await _send(town, kind)

    return [asyncio.create_task(later(kind, 1.0 + number)) for number, kind in enumerate(KINDS)]


async def _send(town: Town, name: str, batches: int = 1) -> None:
    """A session of that many batches of one message each."""
    async with RawPhone.open(town.url, PROJECT, town.book, name=name) as phone:
        assert await phone.start() == 200
        for _ in range(batches):
            assert await phone.say(1) == 200


async def _others_go_on(town: Town, poison: Poison) -> None:
    """What is sent while a worker hangs can be read before that has its end."""
    hung = poison.tries("hangs")
    async with RawPhone.open(town.url, PROJECT, town.book) as phone, town.client() as client:
        assert await phone.start() == 200 and await phone.say(3) == 200
        messages: list[object] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while len(messages) < 3:
                    await asyncio.sleep(0.2)
                    answer = await client.get(f"/api/v1/replays/{phone.session_id}/messages")
                    messages = answer.json()["messages"] if answer.status_code == 200 else []
    assert len(messages) == 3 and poison.tries("hangs") == hung
