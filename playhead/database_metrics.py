"""Metrics that the database knows: the ledger, the backlog, what waits for its recording."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playhead.errors import Unavailable
from playhead.telemetry import gauge, logger
from storage import ledger

if TYPE_CHECKING:
    from playhead.wiring import Services

INTERVAL_S = 10.0
DUE = "SELECT count(*) FROM sessions WHERE due_ms <= $1"
FATES = ("accepted", "stored", "duplicate", "expired", "quarantined", "pending")

log = logger("playhead.database_metrics")


async def watch(services: Services) -> None:
    """Read them again and again; a database that is away leaves them as they are."""
    while True:
        try:
            await read(services)
        except Unavailable:
            log.debug("database_metrics_old")
        except Exception as problem:
            log.error("database_metrics_failed", exc_info=problem)
        await asyncio.sleep(INTERVAL_S)


async def read(services: Services) -> None:
    """Set all of them once. Raises DatabaseUnavailable."""
    for balance in await ledger.balances(services.db):
        for fate in FATES:
            value = getattr(balance, fate)
            gauge("playhead_ledger").labels(str(balance.project_id), "record", fate).set(value)
    count, oldest_ms = await services.segments.waiting()
    now_ms = services.clock()
    gauge("playhead_segments_pending").set(count)
    gauge("playhead_segments_pending_seconds").set(max(0, now_ms - oldest_ms) / 1000 if oldest_ms else 0)
    gauge("playhead_sessions_due").set(await services.db.fetchval(DUE, now_ms))
