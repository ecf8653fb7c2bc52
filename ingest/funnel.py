"""The one way in: every protocol's records pass here into the journal."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import Counter

from playhead import telemetry
from storage.segment_file import Record

if TYPE_CHECKING:
    from storage.journal import Journal

_records = telemetry.counter("playhead_ingest_records_total")
_bytes = telemetry.counter("playhead_ingest_bytes_total")


@cache
def _counts(kind: str) -> tuple[Counter, Counter]:
    return _records.labels(kind), _bytes.labels(kind)


async def accept(record: Record, *, journal: Journal) -> None:
    """Durable when this returns. Raises Overloaded or StorageUnavailable: nothing was kept, a retry is right."""
    await journal.append(record)
    records, size = _counts(record.kind)
    records.inc()
    size.inc(len(record.body))
