"""Identifiers of events: those that the service makes up, and claims on those that senders gave.

A claim goes before the journal, the acceptance after it:

    claim (id, digest) ──> journal.append ──> accept: who turns `accepted` over answers duplicate: false
         │ digest differs: id_conflict            │ everyone else: duplicate: true
         └ accepted already: duplicate, no append └ crash before: the claim stays open, a resend appends again

So nobody is told "duplicate" of an event that is not durable, and storing is idempotent by the identifier.
Source: spec/event-service.md 4, "Same id again".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from storage.postgres import Database

_RANDOM_BYTES: Final = 12
_SEAL_BYTES: Final = 6
_MADE_CHARS: Final = 32  # 6 bytes of time, 12 random, 6 of seal

CLAIM = """
INSERT INTO event_ids (project_id, source, day, event_id, digest, session_id)
SELECT $1, $2, $3, r.event_id, r.digest, r.session_id
FROM unnest($4::text[], $5::bytea[], $6::text[]) AS r (event_id, digest, session_id) ORDER BY r.event_id
ON CONFLICT (project_id, event_id, source) DO NOTHING
RETURNING event_id
"""
HELD = """
SELECT event_id, digest, accepted FROM event_ids
WHERE project_id = $1 AND source = $2 AND event_id = ANY($3::text[])
"""
ACCEPT = """
WITH mine AS (
    SELECT project_id, event_id, source FROM event_ids
    WHERE project_id = $1 AND source = $2 AND event_id = ANY($3::text[]) AND NOT accepted
    ORDER BY event_id FOR UPDATE
)
UPDATE event_ids i SET accepted = true FROM mine
WHERE i.project_id = mine.project_id AND i.event_id = mine.event_id AND i.source = mine.source
RETURNING i.event_id
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """An identifier that a sender gave, with the digest of its event's content."""

    event_id: str
    digest: bytes
    session_id: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose an identifier is: the event with this digest; `accepted`: it is durable, and a sender knows."""

    digest: bytes
    accepted: bool


class EventIds:
    """Claims of one source, alike in every process. All methods raise DatabaseUnavailable."""

    def __init__(self, db: Database, source: str) -> None:
        self._db = db
        self._source = source

    async def claim(self, project_id: int, day: date, wishes: Iterable[Wish]) -> dict[str, Holder]:
        """Who holds each identifier (once each) now: the wish itself, or who came before."""
        wanted = sorted(wishes, key=lambda wish: wish.event_id)
        if not wanted:
            return {}
        rows = await self._db.fetch(
            CLAIM, project_id, self._source, day,
            [w.event_id for w in wanted], [w.digest for w in wanted], [w.session_id for w in wanted],
        )  # fmt: skip
        new = {row[0] for row in rows}
        others = await self.held(project_id, [w.event_id for w in wanted if w.event_id not in new])
        # A row that is neither new nor there was removed by retention in between: as good as new.
        return {w.event_id: others.get(w.event_id) or Holder(w.digest, accepted=False) for w in wanted}

    async def held(self, project_id: int, event_ids: Sequence[str]) -> dict[str, Holder]:
        """Who holds these identifiers, as far as they are held."""
        if not event_ids:
            return {}
        rows = await self._db.fetch(HELD, project_id, self._source, list(event_ids))
        return {row[0]: Holder(bytes(row[1]), row[2]) for row in rows}

    async def accept(self, project_id: int, event_ids: Sequence[str]) -> set[str]:
        """After their events are durable -> those that nobody else had accepted."""
        if not event_ids:
            return set()
        rows = await self._db.fetch(ACCEPT, project_id, self._source, list(event_ids))
        return {row[0] for row in rows}


class MadeIds:
    """Identifiers that we make up: time, randomness, and a seal by which any process knows them for ours."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [hashlib.sha256(b"event ids\0" + key.encode()).digest() for key in keys]

    def make(self, project_id: int, now_ms: int) -> str:
        """A new identifier, 32 url-safe characters."""
        content = now_ms.to_bytes(6, "big") + secrets.token_bytes(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(content + _seal(self._keys[0], project_id, content)).decode()

    def made_ms(self, project_id: int, event_id: str) -> int | None:
        """When we made this identifier for the project; none if we did not."""
        if len(event_id) != _MADE_CHARS or not event_id.isascii():
            return None
        try:
            raw = base64.b64decode(event_id, altchars=b"-_", validate=True)
        except ValueError:
            return None
        content, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
        if not any(hmac.compare_digest(_seal(key, project_id, content), seal) for key in self._keys):
            return None
        return int.from_bytes(content[:6], "big")


def _seal(key: bytes, project_id: int, content: bytes) -> bytes:
    return hmac.digest(key, b"%d:" % project_id + content, "sha256")[:_SEAL_BYTES]
