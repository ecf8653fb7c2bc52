"""Brings spooled segments to the object store, and finds out when the store is back."""

from __future__ import annotations

import asyncio
import random
import time

from playhead.errors import Malformed
from playhead.telemetry import counter, gauge, logger
from storage.journal_contract import Sealed
from storage.objects import ObjectStore
from storage.spool import Spool, Spooled

log = logger("storage.journal")
_errors = counter("playhead_journal_errors_total")
_spool_bytes = gauge("playhead_journal_spool_bytes")

PAUSE_S = (0.25, 5.0)  # between tries while the store is away: first, longest
PATIENCE = 10  # an upload that nobody waits for may take this many times put_timeout_s
MEASURE_S = 5.0  # how often the other processes' bytes are counted while there is a spool


class Uploader:
    """Uploads oldest first.

    `away` is a circuit: open from the first failure until the spool is nearly empty, so that a store that has
    become slow keeps nobody waiting.
    """

    def __init__(
        self, objects: ObjectStore, spool: Spool, *, puts: int, put_timeout_s: float, sealed: Sealed
    ) -> None:
        self._objects = objects
        self._spool = spool
        self._puts = puts
        self._timeout_s = put_timeout_s
        self._sealed = sealed
        self._wanted = asyncio.Event()
        self._measured = 0.0
        self.away = False
        self.last_error = ""

    def trip(self, problem: BaseException) -> None:
        """The store failed somebody: flushes go to the spool from now on."""
        reason = str(problem) or f"no answer within {self._timeout_s:g} s"
        _errors.labels("put").inc()
        self.last_error = reason
        if not self.away:
            log.error("object_store_away", reason=reason)
        self.away = True
        self._wanted.set()

    def wake(self) -> None:
        """There is something in the spool."""
        self._wanted.set()

    async def run(self) -> None:
        """For ever; asleep while the store is there and the spool is empty."""
        failures = 0
        while True:
            if not self.away and not self._spool.segments:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                await self._measure()
                await self._step(1 if failures else self._puts)
                failures = 0
            except Exception as problem:  # nothing may end this task: it is the only way out of the spool
                failures += 1
                self.trip(problem)
                pause = min(PAUSE_S[0] * 2 ** min(failures - 1, 10), PAUSE_S[1])
                await asyncio.sleep(pause * random.uniform(0.5, 1))

    async def _step(self, limit: int) -> None:
        """Upload the oldest segments, or with none just ask; both tell whether the store is back."""
        items = self._spool.take(limit)
        if items:
            results = await asyncio.gather(*map(self._upload, items), return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
        else:
            async with asyncio.timeout(self._timeout_s):
                await self._objects.check()
        _spool_bytes.set(self._spool.total_bytes)
        if self.away and self._spool.segments <= self._puts:
            self.away, self.last_error = False, ""
            log.info("object_store_back")

    async def _upload(self, item: Spooled) -> None:
        try:
            summary, data = await asyncio.to_thread(self._spool.read, item)
            async with asyncio.timeout(self._timeout_s * PATIENCE):
                await self._objects.put(item.key, data)
        except FileNotFoundError:  # somebody removed it by hand; nothing is left to do
            log.error("spooled_segment_gone", key=item.key)
        except Malformed as problem:
            log.error("spooled_segment_damaged", key=item.key, reason=str(problem))
            await asyncio.to_thread(self._spool.set_aside, item)
            return
        except BaseException:
            self._spool.put_back(item)
            raise
        else:
            self._sealed(summary, "recovered" if item.adopted else "spooled")
        await asyncio.to_thread(self._spool.remove, item)

    async def _measure(self) -> None:
        if time.monotonic() - self._measured > MEASURE_S:
            await asyncio.to_thread(self._spool.measure)
            self._measured = time.monotonic()
