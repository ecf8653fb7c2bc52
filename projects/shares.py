"""Links that open one replay without an account. Only hashes of their tokens are kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cache import Bus, Cache, LayeredCache, Lives, RecordCodec
from playhead.errors import Conflict
from storage.postgres import Database

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
#: links to one replay that are good at the same time
MAX_LINKS: Final = 100

CREATE = """
INSERT INTO shares (share_hash, project_id, session_id, created_ms, ends_ms) SELECT $1, $2, $3, $4, $5
WHERE (SELECT count(*) FROM shares WHERE project_id = $2 AND session_id = $3 AND ends_ms > $4) < $6
RETURNING true
"""
BY_HASH = "SELECT project_id, session_id, ends_ms FROM shares WHERE share_hash = $1 AND ends_ms > $2"
REVOKE = """
DELETE FROM shares WHERE project_id = $1 AND session_id = $2 RETURNING encode(share_hash, 'hex')
"""
CLEAN = "DELETE FROM shares WHERE ends_ms <= $1"


@dataclass(frozen=True, slots=True)
class Share:
    """What a link opens, until when (ms)."""

    project_id: int
    session_id: int
    ends_ms: int


class Shares:
    """Makes, recognises and revokes links; every method may raise DatabaseUnavailable."""

    def __init__(
        self, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int], lives: Lives
    ) -> None:
        self._db, self._clock = db, clock
        self._held: LayeredCache[Share] = LayeredCache(
            "share",
            load=self._load,
            codec=RecordCodec(Share),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for links revoked by other processes."""
        await self._held.start()

    async def create(self, project_id: int, session_id: int, *, ttl_ms: int) -> tuple[str, int]:
        """A new link's token, and when it ends (ms). Raises Conflict over MAX_LINKS."""
        token, now_ms = secrets.token_urlsafe(32), self._clock()
        values = (project_id, session_id, now_ms, now_ms + ttl_ms, MAX_LINKS)
        if not await self._db.fetchval(CREATE, bytes.fromhex(digest_of(token)), *values):
            raise Conflict(f"there are {MAX_LINKS} links to this replay already; revoke them first")
        return token, now_ms + ttl_ms

    async def by_token(self, token: str) -> tuple[str, Share] | None:
        """(Digest, what it opens) of a link, or None: unknown, revoked, or too old."""
        if not _TOKEN.fullmatch(token):
            return None
        digest = digest_of(token)
        share = await self.by_digest(digest)
        return None if share is None else (digest, share)

    async def by_digest(self, digest: str) -> Share | None:
        """What the link with this SHA-256 (hex) of its token opens now."""
        share = await self._held.get_and_refresh(digest)
        return share if share is not None and share.ends_ms > self._clock() else None

    async def revoke(self, project_id: int, session_id: int) -> None:
        """Ends all links to a replay, for all processes."""
        gone = [row[0] for row in await self._db.fetch(REVOKE, project_id, session_id)]
        if gone:
            await self._held.invalidate(*gone)

    async def _load(self, digest: str) -> Share | None:
        row = await self._db.fetchrow(BY_HASH, bytes.fromhex(digest), self._clock())
        return None if row is None else Share(**dict(row))


def digest_of(token: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
