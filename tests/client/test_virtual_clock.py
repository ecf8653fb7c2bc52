"""The phone's clock."""

from __future__ import annotations

import math

import pytest

from client.agenda import Agenda
from client.virtual_clock import VirtualClock


class Real:
    """Real time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


async def test_speedup_decides_how_long_we_wait() -> None:
    for speedup, waited in ((1, 60.0), (30, 2.0), (math.inf, 0.0)):
        real = Real()
        clock = VirtualClock(1_000, speedup=speedup, monotonic=real, sleep=real.sleep)
        await clock.advance_to(61_000)
        assert clock() == 61_000
        assert real.now_s - 100 == pytest.approx(waited)


async def test_a_clock_that_is_behind_catches_up_without_waiting() -> None:
    real = Real()
    clock = VirtualClock(0, speedup=1, monotonic=real, sleep=real.sleep)
    real.now_s += 10
    await clock.advance_to(4_000)
    assert real.now_s == 110
    await clock.advance_to(1_000)
    assert clock() == 4_000


def test_speedup_must_be_positive() -> None:
    with pytest.raises(ValueError, match="above 0"):
        VirtualClock(0, speedup=0)


async def test_the_agenda_keeps_order_and_rhythm() -> None:
    clock = VirtualClock(0)
    agenda, done = Agenda(clock), []

    async def note(what: str) -> None:
        done.append((clock(), what))

    agenda.every(10, lambda: note("beat"), unless=lambda: clock() == 20)
    agenda.at(10, lambda: note("first"))
    agenda.at(5, lambda: note("before"))
    await agenda.follow(34)
    assert done == [(5, "before"), (10, "beat"), (10, "first"), (30, "beat")]
    assert clock() == 34
