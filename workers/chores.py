"""What a worker does by the clock: find segments without a row, release, delete what is doomed or too old."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from projects import sign_ins
from sessions import erasure, terms
from storage import doomed
from storage.migrate import ensure_event_partitions
from workers import disk_space, erasing, recounting, retention, silence
from workers.finalizer import Finalizer

if TYPE_CHECKING:
    from playhead.wiring import Services

log = structlog.get_logger()

Chore = Callable[[], Awaitable[None]]

RELEASE_S = 15.0
DOOMED_S = 15.0
PARTITIONS_S = 3600.0
SIGN_INS_S = 3600.0
DISK_S = 10.0
ERASING_S = 15.0
ERASED_USERS_S = 60.0
SILENCE_S = 300.0
RECOUNTING_S = 600.0
UNUSED_VALUES_S = 60.0


class Chores:
    """The table of chores of one worker; every one may run in several workers at once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._finalizer = Finalizer(
            settings=services.settings, clock=services.clock, db=services.db, objects=services.objects
        )

    def table(self) -> list[tuple[str, float, Chore]]:
        """(name, pause after it in s, chore)."""
        settings = self._services.settings
        chores: list[tuple[str, float, Chore]] = [
            ("partitions", PARTITIONS_S, self.partitions),
            ("sweep", settings.sweep_interval_s, self.sweep),
            ("release", min(RELEASE_S, settings.sweep_interval_s), self.release),
            ("doomed", DOOMED_S, self.delete_doomed),
            ("erasing", ERASING_S, self.erasing),
            ("erased_users", ERASED_USERS_S, self.erased_users),
            ("sign_ins", SIGN_INS_S, self.sign_ins),
            ("retention", settings.retention_interval_s, self.retention),
            ("silence", SILENCE_S, self.silence),
            ("recounting", RECOUNTING_S, self.recounting),
            ("unused_values", UNUSED_VALUES_S, self.unused_values),
        ]
        if self._services.disk.governed:
            chores.append(("disk", DISK_S, self.disk_space))
        return chores

    async def partitions(self) -> None:
        """Day partitions of events for the days to come."""
        await ensure_event_partitions(self._services.db)

    async def sweep(self) -> None:
        """Seal what dead processes left open, index segments that have no row, clean up after erasures."""
        await self._services.journal.recover_orphans()
        found = await self._services.segments.sweep()
        if found:
            log.info("segments_found", count=found)
        await erasure.sweep(self._services.db, self._services.clock())

    async def release(self) -> None:
        """Delete journal segments that no recording needs any more."""
        await self._services.segments.release()

    async def delete_doomed(self) -> None:
        """Delete replaced recordings whose time has come."""
        await doomed.carry_out(self._services.db, self._services.objects, self._services.clock())

    async def erasing(self) -> None:
        """Finish what erasures left to do: projects, and records in the journal."""
        await erasing.erase(self._services.db, self._services.objects, self._services.clock())

    async def erased_users(self) -> None:
        """Erase sessions of erased users that came out of the journal since."""
        await erasing.erase_sessions_of_users(self._services)

    async def sign_ins(self) -> None:
        """Delete sign-ins and one-time codes that have ended."""
        await sign_ins.clean(self._services.db, self._services.clock())

    async def retention(self) -> None:
        """Delete sessions and events older than their project's retention."""
        services = self._services
        await retention.remove_expired(services.db, services.objects, services.clock())
        await disk_space.drop_old_frames(services, self._finalizer)

    async def recounting(self) -> None:
        """Count the sessions to which workers of an older version have added events."""
        await recounting.recount(self._services.db)

    async def unused_values(self) -> None:
        """Forget values that no session can be found by any more."""
        await terms.purge(self._services.db)

    async def disk_space(self) -> None:
        """Make room when the disk is too full."""
        await disk_space.make_room(self._services, self._finalizer)

    async def silence(self) -> None:
        """Tell of projects whose sessions stay empty although they begin."""
        await silence.watch(self._services.db, self._services.clock())
