"""API keys: each opens one project, for reading or for writing too. Only hashes of the secrets are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import asyncpg

from cache import Bus, Cache, LayeredCache, Lives, RecordCodec
from playhead.errors import NotFound
from storage.postgres import Database

Role = Literal["read", "write"]
PREFIX: Final = "phk_"
MAX_SECRET_CHARS: Final = 200

_ALL = "api_key_id, project_id, role, created_ms, revoked_ms, encode(secret_hash, 'hex') AS digest"
INSERT = f"""
INSERT INTO api_keys (api_key_id, project_id, role, secret_hash, created_ms) VALUES ($1, $2, $3, $4, $5)
RETURNING {_ALL}
"""
LIST = f"SELECT {_ALL} FROM api_keys WHERE project_id = $1 ORDER BY created_ms, api_key_id"
BY_HASH = f"SELECT {_ALL} FROM api_keys WHERE secret_hash = $1 AND revoked_ms IS NULL"
REVOKE = f"""
UPDATE api_keys SET revoked_ms = coalesce(revoked_ms, $3)
WHERE api_key_id = $1 AND ($2::int IS NULL OR project_id = $2) RETURNING {_ALL}
"""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One row; `digest` is the SHA-256 (hex) of the secret, which nobody has but its holder."""

    api_key_id: str
    project_id: int
    role: Role
    created_ms: int
    revoked_ms: int | None
    digest: str


class ApiKeys:
    """Makes, lists, revokes and recognises API keys."""

    def __init__(
        self, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int], lives: Lives
    ) -> None:
        self._db = db
        self._clock = clock
        self._held: LayeredCache[ApiKey] = LayeredCache(
            "api_key",
            load=self._load,
            codec=RecordCodec(ApiKey),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for keys revoked by other processes."""
        await self._held.start()

    async def create(self, project_id: int, role: Role) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown this once. Raises NotFound without that project."""
        secret = PREFIX + secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).digest()
        values = (secrets.token_hex(8), project_id, role, digest, self._clock())
        try:
            return _key(await self._db.fetchrow(INSERT, *values)), secret
        except asyncpg.ForeignKeyViolationError:
            raise NotFound("no project with this id") from None

    async def list(self, project_id: int) -> list[ApiKey]:
        """A project's keys, revoked ones too, oldest first."""
        return [_key(row) for row in await self._db.fetch(LIST, project_id)]

    async def revoke(self, api_key_id: str, *, project_id: int | None = None) -> ApiKey:
        """Ends a key for all processes; again is fine. Raises NotFound, also outside `project_id`."""
        row = await self._db.fetchrow(REVOKE, api_key_id, project_id, self._clock())
        if row is None:
            raise NotFound("no API key with this id")
        key = _key(row)
        await self._held.invalidate(key.digest)
        return key

    async def authenticate(self, secret: str) -> ApiKey | None:
        """The key whose secret this is, unless it is revoked. Raises DatabaseUnavailable."""
        if not secret.startswith(PREFIX) or len(secret) > MAX_SECRET_CHARS:
            return None
        return await self.by_digest(hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest())

    async def by_digest(self, digest: str) -> ApiKey | None:
        """The key with this SHA-256 (hex) of its secret, unless it is revoked. Raises DatabaseUnavailable."""
        key = await self._held.get_and_refresh(digest)
        return key if key is not None and hmac.compare_digest(key.digest, digest) else None

    async def _load(self, digest: str) -> ApiKey | None:
        row = await self._db.fetchrow(BY_HASH, bytes.fromhex(digest))
        return None if row is None else _key(row)


def _key(row: Any) -> ApiKey:
    return ApiKey(**cast("dict[str, Any]", dict(row)))
