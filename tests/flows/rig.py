"""The whole way of a record without HTTP: journal, processor, finalizer, reading, on real services."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from messages import encode_batch
from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from sessions.ids import SessionIds
from sessions.model import Session, SessionStart
from storage.ledger import Balance, balances
from storage.segment_file import Record
from workers.finalizer import Finalizer
from workers.runner import Worker

NOW_MS = 1_800_000_000_000
USER = "6A1C8F2E-0000-4000-8000-000000000001"


@dataclass
class Clock:
    """A clock that tests set."""

    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Rig:
    """Services, and short ways to do what SDKs and workers do."""

    services: Services
    clock: Clock
    project_id: int
    worker: Worker
    finalizer: Finalizer
    ids: SessionIds = field(default_factory=SessionIds)
    appended: int = 0

    async def start(
        self, *, at_ms: int | None = None, device_ms: int | None = None, **attributes: Any
    ) -> int:
        """A session's start record -> its id."""
        now_ms = self.clock.now_ms if at_ms is None else at_ms
        session_id = self.ids.new(now_ms)
        told = {"platform": "ios", "user_uuid": USER, "device_start_ms": device_ms or now_ms, **attributes}
        await self.append("start", session_id, b"{}", meta=SessionStart(**told).to_meta(), at_ms=now_ms)
        return session_id

    async def batch(
        self, session_id: int, framed: Sequence[bytes], *, index: int = 0, meta_ms: int | None = None,
        kind: str = "batch", at_ms: int | None = None, packed: bool = False, **meta: Any,
    ) -> None:  # fmt: skip
        """A batch of framed messages, received at `at_ms`, built by the device at `meta_ms`."""
        at_ms = self.clock.now_ms if at_ms is None else at_ms
        body = encode_batch(index, at_ms if meta_ms is None else meta_ms, framed)
        body = gzip.compress(body, mtime=0) if packed else body
        await self.append(kind, session_id, body, meta={"plt": "ios", "uid": USER, **meta}, at_ms=at_ms)

    async def append(
        self, kind: str, session_id: int | None, body: bytes, *, meta: dict[str, Any] | None = None,
        at_ms: int | None = None, project_id: int | None = None,
    ) -> None:  # fmt: skip
        """One record, durable when this returns."""
        at_ms = self.clock.now_ms if at_ms is None else at_ms
        project_id = self.project_id if project_id is None else project_id
        self.appended += 1
        await self.services.journal.append(
            Record(kind, project_id, session_id, at_ms * 1000, meta or {}, body)
        )

    async def work(self, tries: int = 400) -> None:
        """Process until every accepted record has met its fate."""
        for _ in range(tries):
            await self.worker.once()
            accepted = await self.services.db.fetchval(
                "SELECT coalesce(sum(count), 0) FROM ledger WHERE fate = 'accepted'"
            )
            if accepted == self.appended and not (await self.services.segments.waiting())[0]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.appended} appended, {accepted} indexed")

    async def record(self, session_id: int) -> int:
        """Make the session's recording now -> its version."""
        return await self.finalizer.finalize(self.project_id, session_id)

    async def session(self, session_id: int) -> Session:
        """The session's row."""
        return await self.services.replays.find(session_id, [self.project_id])

    async def objects_of(self, session_id: int) -> dict[str, bytes]:
        """The objects of the newest recording by name."""
        session = await self.session(session_id)
        prefix = f"recordings/{self.project_id}/{session_id}/{session.recording_name}/"
        objects = self.services.objects
        keys = [found.key async for found in objects.list(prefix)]
        return {key.removeprefix(prefix): await objects.get(key) for key in keys}

    async def balance(self) -> Balance:
        """The project's ledger."""
        return next(b for b in await balances(self.services.db) if b.project_id == self.project_id)


@contextlib.asynccontextmanager
async def open_rig(dsn: str, data_dir: Path, **settings: Any) -> AsyncIterator[Rig]:
    """A rig with one project; `settings` over small defaults."""
    clock = Clock()
    values = {"segment_max_age_ms": 20, "session_quiet_s": 1.0, **settings}
    made = Settings(database_url=dsn, data_dir=data_dir, **values)
    async with open_services(made, role="work", clock=clock) as services:
        project = await services.projects.create(ProjectCreate(name="Shop", key="shop"))
        finalizer = Finalizer(settings=made, clock=clock, db=services.db, objects=services.objects)
        yield Rig(services, clock, project.project_id, Worker(services), finalizer)
