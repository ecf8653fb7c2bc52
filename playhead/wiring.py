"""The only place that builds anything: `open_services(settings, role=…)`, closed in reverse order."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from cache import Cache, open_cache
from events.opening import EventService, open_events
from messages import Limits
from playhead.secrets import Secrets, open_secrets
from playhead.settings import Settings
from projects import ApiKeys, ProjectService, Shares, SignIns, open_projects, open_sign_ins
from sessions import Replays, SessionService, Tokens, open_sessions
from sessions.export import Exporter
from storage.disk import Disk, open_disk
from storage.journal import Journal, open_journal
from storage.notices import Notices, open_notices
from storage.objects import ObjectStore, open_objects
from storage.postgres import Database, open_pool
from storage.segments import IndexQueue, SegmentIndex

Clock = Callable[[], int]
Role = Literal["http", "work", "cli"]
CLI_CONNECTIONS = 2


def wall_clock() -> int:
    """Now, ms since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a process works with."""

    settings: Settings
    secrets: Secrets
    clock: Clock
    db: Database
    notices: Notices
    objects: ObjectStore
    disk: Disk
    journal: Journal
    segments: SegmentIndex
    cache: Cache
    projects: ProjectService
    api_keys: ApiKeys
    sign_ins: SignIns
    shares: Shares
    sessions: SessionService
    tokens: Tokens
    replays: Replays
    exporter: Exporter
    events: EventService


@asynccontextmanager
async def open_services(
    settings: Settings, *, role: Role, clock: Clock = wall_clock
) -> AsyncIterator[Services]:
    """Services of one process; `settings.database_url` must be set.

    A database or object store that is away stops no start. Reading requests get `query_timeout_s` per
    statement, everything else `database_timeout_s`. Raises BadSettings.
    """
    secrets = open_secrets(settings)
    async with AsyncExitStack() as stack:
        timeout_s = settings.query_timeout_s if role == "http" else settings.database_timeout_s
        size = CLI_CONNECTIONS if role == "cli" else None
        db = await stack.enter_async_context(open_pool(settings, size=size, timeout_s=timeout_s))
        notices = await stack.enter_async_context(open_notices(settings))
        objects = await stack.enter_async_context(open_objects(settings))
        cache = await stack.enter_async_context(open_cache(settings))
        segments = SegmentIndex(db, objects, clock, claim_timeout_s=settings.claim_timeout_s)
        queue = await stack.enter_async_context(IndexQueue(segments))
        journal = await stack.enter_async_context(
            open_journal(settings, objects, index=queue.add, clock=clock)
        )
        projects, api_keys = await open_projects(settings, db, cache, notices, clock)
        sign_ins, shares = await open_sign_ins(
            settings, db, cache, notices, clock, api_keys=api_keys, admin_key=secrets.admin_key
        )
        sessions = await open_sessions(settings, db, cache, notices, clock)
        replays = Replays(db=db, objects=objects, limits=Limits.of(settings), clock=clock, sessions=sessions)
        stack.push_async_callback(replays.close)
        events = await stack.enter_async_context(open_events(db, secrets.token_secrets))
        yield Services(
            settings=settings,
            secrets=secrets,
            clock=clock,
            db=db,
            notices=notices,
            objects=objects,
            disk=open_disk(settings),
            journal=journal,
            segments=segments,
            cache=cache,
            projects=projects,
            api_keys=api_keys,
            sign_ins=sign_ins,
            shares=shares,
            sessions=sessions,
            tokens=Tokens(secrets.token_secrets, clock),
            replays=replays,
            exporter=Exporter(
                replays, max_bytes=settings.export_max_bytes, timeout_s=settings.export_timeout_s
            ),
            events=events,
        )
