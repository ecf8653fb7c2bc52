"""Events of one request as one record of the journal: durable together or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from events.incoming import KIND, IncomingEvent, pack
from storage.segment_file import Record


def record_of(project_id: int, events: Sequence[IncomingEvent], *, received_us: int) -> Record:
    """The record; `events` must not be empty."""
    return Record(KIND, project_id, None, received_us, {"events": len(events)}, pack(events))
