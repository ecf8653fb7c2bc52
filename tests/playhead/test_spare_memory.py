"""What is given back to the system, and what is garbage by then."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator

import pytest

from playhead.spare_memory import give_back_for_ever


class _Knot:
    """Refers to itself, as errors of failed connections do."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def lazy_collector() -> Iterator[None]:
    """The collector does not run by itself, as in a worker with little to do."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("cycles", [True, False])
async def test_cycles_are_collected_where_that_is_wanted(lazy_collector: None, cycles: bool) -> None:
    collected = asyncio.Event()
    knot = weakref.ref(_Knot(), lambda _: collected.set())
    task = asyncio.create_task(give_back_for_ever(cycles=cycles, interval_s=0.01))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(collected.wait(), 5 if cycles else 0.2)
    assert (knot() is None) is cycles
    assert not task.done()
    task.cancel()
