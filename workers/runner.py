"""The worker process: loops over what is to be done, stops on a signal, never dies of one bad item."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from messages import Limits
from playhead.errors import PlayheadError, Unavailable
from playhead.telemetry import counter, histogram
from storage.ledger import Fate
from storage.postgres import hindered
from storage.segments import Claim
from workers.chores import Chores
from workers.finalizer import Finalizer
from workers.processor import ClaimLost, Processor
from workers.watchdog import Watchdog

if TYPE_CHECKING:
    from playhead.wiring import Services

log = structlog.get_logger()

#: segments taken at a time: so many, but no more once they hold so many bytes
CLAIMS = 64
CLAIM_BYTES = 1_000_000
#: small ones that are processed as if they were one
BUNDLE = 32
BUNDLE_BYTES = 250_000
#: segments in hand at once: one is decoded while the database works on the others
AT_ONCE = 3
IDLE_S = 1.0
DUE_POLL_S = 0.5
#: a new worker leaves what was tried before alone for so long: where everything is ended again and again, whatever
#: comes first would be blamed for it
SETTLED_S = 3.0
AWAY_S = 1.0
#: a segment is left alone for so long when somebody else holds a lock that it needs
HINDERED_S = 5.0
#: claims are renewed this often in the time that they last; the watchdog counts on three quarters being left
RENEWALS = 4
GC_THRESHOLD = (100_000, 50, 50)


class Worker:
    """The loops of one worker process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings
        limits = Limits.of(services.settings)
        self._processor = Processor(
            settings=services.settings,
            limits=limits,
            clock=services.clock,
            db=services.db,
            objects=services.objects,
            segments=services.segments,
            projects=services.projects,
            sessions=services.sessions,
        )
        self._watchdog = Watchdog.of(services.settings.claim_timeout_s)
        self._finalizer = Finalizer(
            settings=services.settings,
            clock=services.clock,
            db=services.db,
            objects=services.objects,
            watch=self._watchdog.watch,
        )
        self._chores = Chores(services)
        self._wake = asyncio.Event()
        self._returned: list[Claim] = []
        self._in_hand: set[Claim] = set()
        self._due: list[tuple[int, int]] = []
        self._stop = asyncio.Event()
        self._name = f"{place()}-{os.getpid()}"
        self._looked = False
        self._settled = True

    def stop(self) -> None:
        """Finish the work in hand and end."""
        self._stop.set()
        self._wake.set()

    def _settle(self) -> None:
        self._settled = True
        self._wake.set()

    async def once(self) -> int:
        """Process what is pending now, without waiting -> how many segments were taken."""
        while self._returned:
            await self._services.segments.give_back(self._returned[-1])
            self._returned.pop()
        if not self._looked:
            await self._services.segments.free(ended_here)
            self._looked = True
        fresh, tried = deque[Claim](), deque[Claim]()
        taken = 0

        async def claim_more() -> None:
            nonlocal taken
            if not tried and not self._stop.is_set():
                claims = await self._services.segments.claim(
                    CLAIMS, self._name, tried=self._settled, enough_bytes=CLAIM_BYTES
                )
                taken += len(claims)
                self._returned.extend(claims)
                fresh.extend(claim for claim in claims if claim.untried)
                tried.extend(claim for claim in claims if not claim.untried)

        await claim_more()
        if fresh:
            await self._take(fresh, AT_ONCE, claim_more)
        # What was tried before may be what ended a worker: alone, it takes nothing else down with it.
        await self._take(tried, 1)
        return taken

    async def _take(
        self, claims: deque[Claim], at_once: int, claim_more: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Process these until one finds a store away; what is in hand then is ended first. Raises Unavailable.

        `claim_more` adds to them, so that no hand waits for the others while there is work.
        """

        async def hand() -> None:
            try:
                while not self._stop.is_set():
                    if not claims and claim_more is not None:
                        await claim_more()
                    if not claims:
                        return
                    await self._bundle(next_bundle(claims))
            except BaseException:
                claims.clear()
                raise

        for outcome in await asyncio.gather(*(hand() for _ in range(at_once)), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def run(self) -> None:
        """Until stopped."""
        await self._services.notices.subscribe(
            "playhead_segments", lambda _: self._wake.set(), on_gap=self._wake.set
        )
        self._watchdog.start()
        self._settled = False
        asyncio.get_running_loop().call_later(SETTLED_S, self._settle)
        keepers = [
            asyncio.create_task(self._keep(renew)) for renew in (self._renew_segments, self._renew_due)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forever("segments", self._segments))
                group.create_task(self._forever("recordings", self._recordings))
                for name, interval_s, chore in self._chores.table():
                    group.create_task(self._forever(name, self._every(interval_s, chore)))
        finally:
            for keeper in keepers:
                keeper.cancel()
            self._watchdog.stop()
        with contextlib.suppress(Unavailable):  # what was not begun need not wait for the claim's end
            for claim in self._returned:
                await self._services.segments.give_back(claim)

    async def _forever(self, name: str, once: Callable[[], Awaitable[None]]) -> None:
        while not self._stop.is_set():
            try:
                await once()
            except Unavailable as problem:
                log.warning("store_away", loop=name, code=problem.code)
                await self._pause(AWAY_S)
            except Exception as problem:
                log.error("loop_failed", loop=name, error=type(problem).__name__,
                          detail=str(problem)[:200] if isinstance(problem, PlayheadError) else "")  # fmt: skip
                await self._pause(AWAY_S)

    def _every(
        self, interval_s: float, chore: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        async def once() -> None:
            await chore()
            await self._pause(interval_s)

        return once

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _segments(self) -> None:
        self._wake.clear()
        if not await self.once():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), IDLE_S)

    async def _bundle(self, claims: Sequence[Claim]) -> None:
        """Process small segments as if they were one; where that fails, each shows alone whether it is to blame."""
        if len(claims) > 1 and await self._together(claims):
            return
        for claim in claims:
            if self._stop.is_set():
                return
            self._returned.remove(claim)
            await self._one_segment(claim)

    async def _together(self, claims: Sequence[Claim]) -> bool:
        """Whether that went well; if not, nothing has happened. Raises Unavailable if a store is away."""
        started = time.perf_counter()
        try:
            fates = await self._processor.handle_together(claims)
        except Unavailable:
            await self._processor.check_stores()
            return False
        except Exception as problem:
            log.info("bundle_failed", segments=len(claims), error=type(problem).__name__)
            return False
        for claim in claims:
            self._returned.remove(claim)
        self._count(fates, "done", len(claims), started)
        return True

    async def _one_segment(self, claim: Claim) -> None:
        started = time.perf_counter()
        outcome = "done"
        fates: Counter[tuple[str, Fate]] = Counter()
        self._in_hand.add(claim)
        try:
            fates = await self._processor.handle(claim)
        except ClaimLost:
            outcome = "lost"
        except Unavailable as problem:
            self._returned.append(claim)
            await self._processor.check_stores()  # raises if one is away: the segment is not to blame
            self._returned.remove(claim)
            if hindered(problem):  # nor here
                await self._services.segments.give_back(claim, pause_s=HINDERED_S)
                outcome = "hindered"
            else:
                await self._services.segments.fail(claim, problem.code)
                outcome = "failed"
        except Exception:
            outcome = "failed"  # noted on the segment; it is tried again by its rules
        finally:
            self._in_hand.remove(claim)
        self._count(fates, outcome, 1, started)

    @staticmethod
    def _count(fates: Counter[tuple[str, Fate]], outcome: str, segments: int, started: float) -> None:
        for (kind, fate), count in fates.items():
            counter("playhead_worker_records_total").labels(kind, fate).inc(count)
        counter("playhead_worker_segments_total").labels(outcome).inc(segments)
        histogram("playhead_worker_segment_seconds").observe(time.perf_counter() - started)

    async def _keep(self, renew: Callable[[], Awaitable[None]]) -> None:
        """Renew claims while our loop turns.

        So a store that is slow costs nobody their claim, and what hangs us finds it fresh.
        """
        while True:
            await asyncio.sleep(self._settings.claim_timeout_s / RENEWALS)
            try:
                await renew()
            except Exception as problem:
                log.warning("claims_not_renewed", error=type(problem).__name__)

    async def _renew_segments(self) -> None:
        """Those that wait for a hand, too."""
        await self._services.segments.renew([*self._returned, *self._in_hand])

    async def _renew_due(self) -> None:
        for project_id, session_id in self._due:
            await self._finalizer.renew(project_id, session_id)

    async def _recordings(self) -> None:
        due = await self._finalizer.claim(1, tried=self._settled)
        if not due:
            await self._pause(DUE_POLL_S)
            return
        started = time.perf_counter()
        self._due = due
        try:
            version = await self._finalizer.finalize(*due[0])
            outcome = "new" if version == 1 else "renewed"
        except Unavailable:
            raise
        except Exception:
            outcome = "failed"  # logged there and put off
        finally:
            self._due = []
        counter("playhead_recordings_total").labels(outcome).inc()
        histogram("playhead_recording_seconds").observe(time.perf_counter() - started)


def next_bundle(claims: deque[Claim]) -> list[Claim]:
    """Take the first claim and the small, unordered, untried ones behind it."""
    bundle = [claims.popleft()]
    size = bundle[0].bytes
    while (
        claims and len(bundle) < BUNDLE and all(c.untried and not c.ordered for c in (bundle[0], claims[0]))
    ):
        size += claims[0].bytes
        if size > BUNDLE_BYTES:
            break
        bundle.append(claims.popleft())
    return bundle


def place() -> str:
    """Where process ids mean what they mean to us: this machine, and on Linux this container of it."""
    try:
        container = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        container = ""
    return f"{os.uname().nodename}-{container}"


def ended_here(name: str) -> bool:
    """Whether this worker ran on our machine and does so no more: what it held need not wait for its time."""
    where, _, pid = name.rpartition("-")
    if where != place() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return int(pid) == os.getpid()  # of a container that began anew: we have claimed nothing yet


def tune_collector() -> None:
    """Make garbage collection rare: a segment is hundreds of thousands of objects, none of them in a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


async def run(services: Services) -> None:
    """Work until SIGTERM or SIGINT."""
    tune_collector()
    worker = Worker(services)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
