"""Questions of many askers share statements; what goes wrong for one stays with that one."""

from __future__ import annotations

import asyncio

import pytest

from events.groups import MAX_ITEMS, Groups
from playhead.errors import DatabaseUnavailable


class Database:
    """Answers when told to; numbers below zero break it."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.free = asyncio.Event()
        self.away = False

    async def __call__(self, items: list[int]) -> list[int]:
        self.asked.append(items)
        await self.free.wait()
        if self.away:
            raise DatabaseUnavailable("away")
        if min(items) < 0:
            raise ValueError(min(items))
        return [item * 2 for item in items]


async def begin(groups: Groups[int, int], *items: int) -> asyncio.Task[list[int]]:
    task = asyncio.create_task(groups.ask(list(items)))
    await asyncio.sleep(0)
    return task


async def test_those_who_come_while_one_is_on_its_way_go_together() -> None:
    database = Database()
    groups: Groups[int, int] = Groups(database)
    assert await groups.ask([]) == []
    first = await begin(groups, 1)
    await asyncio.sleep(0)
    others = [await begin(groups, number, number + 1) for number in range(10, 13)]
    database.free.set()
    assert await first == [2]
    assert await asyncio.gather(*others) == [[20, 22], [22, 24], [24, 26]]
    assert database.asked == [[1], [10, 11, 11, 12, 12, 13]]
    assert await groups.ask([5]) == [10]


async def test_a_group_is_bounded() -> None:
    database = Database()
    groups: Groups[int, int] = Groups(database)
    tasks = [await begin(groups, *range(size)) for size in (1, MAX_ITEMS - 1, 1, 1, 2 * MAX_ITEMS, 1)]
    database.free.set()
    await asyncio.gather(*tasks)
    sizes = [len(items) for items in database.asked]
    assert sum(sizes) == 3 * MAX_ITEMS + 3
    assert all(size <= MAX_ITEMS for size in sizes if size != 2 * MAX_ITEMS)


async def test_one_at_fault_is_told_alone() -> None:
    database = Database()
    database.free.set()
    groups: Groups[int, int] = Groups(database)
    tasks = [await begin(groups, number) for number in (1, 2, -3, 4)]
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [each if isinstance(each, list) else type(each) for each in told] == [[2], [4], ValueError, [8]]


async def test_a_database_that_is_away_is_told_to_all_and_not_asked_for_each() -> None:
    database = Database()
    database.away = True
    groups: Groups[int, int] = Groups(database)
    tasks = [await begin(groups, number) for number in range(5)]
    database.free.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in told} == {DatabaseUnavailable}
    assert len(database.asked) <= 2
    database.away = False
    assert await groups.ask([1]) == [2]


async def test_who_goes_away_stops_nobody_else_and_the_end_stops_all() -> None:
    database = Database()
    groups: Groups[int, int] = Groups(database)
    impatient, patient = await begin(groups, 1), await begin(groups, 2)
    impatient.cancel()
    database.free.set()
    assert await patient == [4]
    database.free.clear()
    left = await begin(groups, 3)
    await asyncio.sleep(0)
    await groups.close()
    with pytest.raises(asyncio.CancelledError):
        await left
