"""The ledger: what became of every accepted record, per project, to the unit.

`accepted = stored + duplicate + expired + quarantined + pending`. Accepted grows when a segment is indexed, the
fates grow in the transaction that processes it, pending is counted from the segments not processed yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """How an accepted record can end; exactly one each."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes were there already
    EXPIRED = "expired"  # too late, erased, not to be recorded, or its project is gone
    QUARANTINED = "quarantined"  # unreadable: in dead_letters with its reason


@dataclass(frozen=True, slots=True)
class Balance:
    """One project's ledger, in records."""

    project_id: int
    accepted: int
    stored: int
    duplicate: int
    expired: int
    quarantined: int
    pending: int

    @property
    def difference(self) -> int:
        """Zero when the ledger balances."""
        ended = self.stored + self.duplicate + self.expired + self.quarantined
        return self.accepted - ended - self.pending


ADD = """
INSERT INTO ledger (project_id, unit, fate, count)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (project_id, unit, fate) DO UPDATE SET count = ledger.count + excluded.count
"""

# A segment's `accepted` says what of it is still to end: record-by-record mode takes each ended record off.
BALANCES = """
WITH waiting AS (
    SELECT key::int AS project_id, sum(value::bigint) AS count
    FROM segments, jsonb_each_text(accepted)
    WHERE state = 'pending' GROUP BY 1
), counted AS (
    SELECT project_id, fate, count FROM ledger WHERE unit = 'record'
)
SELECT project_id,
       coalesce(sum(count) FILTER (WHERE fate = 'accepted'), 0)::bigint AS accepted,
       coalesce(sum(count) FILTER (WHERE fate = 'stored'), 0)::bigint AS stored,
       coalesce(sum(count) FILTER (WHERE fate = 'duplicate'), 0)::bigint AS duplicate,
       coalesce(sum(count) FILTER (WHERE fate = 'expired'), 0)::bigint AS expired,
       coalesce(sum(count) FILTER (WHERE fate = 'quarantined'), 0)::bigint AS quarantined,
       coalesce((SELECT w.count FROM waiting w WHERE w.project_id = counted.project_id), 0)::bigint AS pending
FROM counted GROUP BY project_id ORDER BY project_id
"""


async def add(conn: Any, counts: Mapping[tuple[int, str], int], *, unit: str = "record") -> None:
    """Add to the ledger inside the caller's transaction; keys are (project_id, fate)."""
    rows = sorted(
        (project_id, unit, str(fate), count) for (project_id, fate), count in counts.items() if count
    )
    if rows:
        await conn.execute(ADD, *(list(column) for column in zip(*rows, strict=True)))


async def balances(db: Any) -> list[Balance]:
    """Every project's ledger, read in one snapshot."""
    return [Balance(**dict(row)) for row in await db.fetch(BALANCES)]
