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
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Final

from events.groups import Groups
from storage.postgres import Database

_RANDOM_BYTES: Final = 12
_SEAL_BYTES: Final = 6
_IDS_AT_ONCE: Final = 64  # randomness is fetched for so many: a call of the system costs more than an id
_MADE_CHARS: Final = 32  # 6 bytes of time, 12 random, 6 of seal

# One identifier each, many in a pipeline: always a look-up by the key, whatever the planner thinks of a young table.
# A claim may be lost with the server's last moment: nobody is told of it before ACCEPT, whose commit waits for both.
CLAIM = """
INSERT INTO event_ids (project_id, source, day, event_id, digest, session_id)
SELECT $1::int, $2::text, $3::date, $4::text, $5::bytea, $6::text FROM set_config('synchronous_commit', 'off', true)
ON CONFLICT (project_id, event_id, source) DO NOTHING
RETURNING project_id, event_id, digest
"""
HELD = """
SELECT project_id, event_id, digest, accepted FROM event_ids
WHERE project_id = $1 AND event_id = $2 AND source = $3
"""
ACCEPT = """
UPDATE event_ids SET accepted = true WHERE project_id = $1 AND event_id = $2 AND source = $3 AND NOT accepted
RETURNING project_id, event_id
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


_Claim = tuple[int, date, Wish]
_Id = tuple[int, str]


class EventIds:
    """Claims of one source, alike in every process; requests at the same time share statements.

    All methods raise DatabaseUnavailable.
    """

    def __init__(self, db: Database, source: str) -> None:
        self._db = db
        self._source = source
        self._claims: Groups[_Claim, Holder] = Groups(self._claim)
        self._acceptances: Groups[_Id, bool] = Groups(self._accept)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._claims.close()
        await self._acceptances.close()

    async def claim(self, project_id: int, day: date, wishes: Sequence[Wish]) -> dict[str, Holder]:
        """Who holds each identifier (once each) now: the wish itself, or who came before."""
        holders = await self._claims.ask([(project_id, day, wish) for wish in wishes])
        return {wish.event_id: holder for wish, holder in zip(wishes, holders, strict=True)}

    async def held(self, project_id: int, event_ids: Sequence[str]) -> dict[str, Holder]:
        """Who holds these identifiers, as far as they are held."""
        found = await self._held((project_id, event_id) for event_id in event_ids)
        return {event_id: holder for (_, event_id), holder in found.items()}

    async def accept(self, project_id: int, event_ids: Sequence[str]) -> set[str]:
        """After their events are durable -> those that nobody else had accepted."""
        first = await self._acceptances.ask([(project_id, event_id) for event_id in event_ids])
        return {event_id for event_id, is_first in zip(event_ids, first, strict=True) if is_first}

    async def _claim(self, claims: list[_Claim]) -> list[Holder]:
        rows = [(p, self._source, day, w.event_id, w.digest, w.session_id) for p, day, w in claims]
        rows.sort(key=itemgetter(0, 3))  # as everyone does, so that nobody waits in a circle
        new = await self._db.fetchmany(CLAIM, rows)
        holders = {(row[0], row[1]): Holder(bytes(row[2]), accepted=False) for row in new}
        holders |= await self._held({(p, wish.event_id) for p, _, wish in claims} - holders.keys())
        # A row that is neither new nor there was removed by retention in between: as good as new.
        return [
            holders.get((p, wish.event_id)) or Holder(wish.digest, accepted=False) for p, _, wish in claims
        ]

    async def _held(self, ids: Iterable[_Id]) -> dict[_Id, Holder]:
        wanted = [(*each, self._source) for each in ids]
        if not wanted:
            return {}
        rows = await self._db.fetchmany(HELD, wanted)
        return {(row[0], row[1]): Holder(bytes(row[2]), row[3]) for row in rows}

    async def _accept(self, ids: list[_Id]) -> list[bool]:
        """Of those who ask for the same identifier at once, the first is the first."""
        rows = await self._db.fetchmany(ACCEPT, [(*each, self._source) for each in sorted(ids)])
        turned = {(row[0], row[1]) for row in rows}
        first = []
        for each in ids:
            first.append(each in turned)
            turned.discard(each)
        return first


class MadeIds:
    """Identifiers that we make up: time, randomness, and a seal by which any process knows them for ours."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._random = b""
        self._keys = [hashlib.sha256(b"event ids\0" + key.encode()).digest() for key in keys]

    def make(self, project_id: int, now_ms: int) -> str:
        """A new identifier, 32 url-safe characters."""
        if len(self._random) < _RANDOM_BYTES:
            self._random = os.urandom(_RANDOM_BYTES * _IDS_AT_ONCE)
        random, self._random = self._random[:_RANDOM_BYTES], self._random[_RANDOM_BYTES:]
        content = now_ms.to_bytes(6, "big") + random
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
    return hashlib.blake2b(b"%d:" % project_id + content, key=key, digest_size=_SEAL_BYTES).digest()
