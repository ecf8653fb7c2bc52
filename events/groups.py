"""Many small questions to the database as few large ones, without timers: while one is on its way the next gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from playhead.errors import Unavailable

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MAX_ITEMS: Final = 5_000


class Groups(Generic[Item, Answer]):
    """`run` answers a list of items in their order; one call of it is under way at a time."""

    def __init__(self, run: Callable[[list[Item]], Awaitable[list[Answer]]]) -> None:
        self._run = run
        self._waiting: list[tuple[list[Item], asyncio.Future[list[Answer]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, items: list[Item]) -> list[Answer]:
        """The answers to these items. Raises what `run` raises; who goes away stops nobody else."""
        if not items:
            return []
        answered: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, answered))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="group of questions")
        return await answered

    async def close(self) -> None:
        """Ends what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._next())
        finally:
            self._task = None
            for _, answered in self._waiting:
                answered.cancel()

    def _next(self) -> list[tuple[list[Item], asyncio.Future[list[Answer]]]]:
        """As many of those who wait as fit, but one at least."""
        size = count = 0
        for items, _ in self._waiting:
            size += len(items)
            if count and size > MAX_ITEMS:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _answer(self, group: list[tuple[list[Item], asyncio.Future[list[Answer]]]]) -> None:
        try:
            answers = await self._run([item for items, _ in group for item in items])
        except asyncio.CancelledError:
            for _, answered in group:
                answered.cancel()
            raise
        except Exception as problem:
            if len(group) == 1 or isinstance(problem, Unavailable):
                for _, answered in group:
                    if not answered.done():
                        answered.set_exception(problem)
            else:  # one of them is at fault: each finds out alone
                for each in group:
                    await self._answer([each])
            return
        place = 0
        for items, answered in group:
            if not answered.done():
                answered.set_result(answers[place : place + len(items)])
            place += len(items)
