"""Who is signed in to the player: an opaque token in a cookie, good as long as the key or link it was given for.

Only hashes of tokens and codes are kept. What the admin key granted carries an HMAC of it under the token, so that
another admin key ends it; what an API key or a link granted is asked of that each time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from cache import Bus, Cache, LayeredCache, Lives, RecordCodec
from projects.api_keys import ApiKeys
from projects.shares import CLEAN as CLEAN_SHARES
from projects.shares import Shares
from storage.postgres import Database

GrantRole = Literal["admin", "write", "read"]

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SHOWN: Final = """
role, project_id, ends_ms, encode(admin_mac, 'hex') AS admin_mac, encode(share_hash, 'hex') AS share_digest,
(SELECT encode(secret_hash, 'hex') FROM api_keys k WHERE k.api_key_id = s.api_key_id) AS key_digest
"""
INSERT = """
INSERT INTO sign_ins (token_hash, role, project_id, api_key_id, admin_mac, created_ms, ends_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# nothing, should the link be revoked at this moment
INSERT_BY_SHARE = """
INSERT INTO sign_ins (token_hash, role, project_id, share_hash, created_ms, ends_ms)
SELECT $1, 'read', project_id, share_hash, $3, least(ends_ms, $4) FROM shares WHERE share_hash = $2 FOR KEY SHARE
RETURNING true
"""
BY_HASH = f"SELECT {_SHOWN} FROM sign_ins s WHERE token_hash = $1 AND ends_ms > $2"
END = "DELETE FROM sign_ins WHERE token_hash = $1"
ISSUE = """
INSERT INTO sign_in_codes (code_hash, role, project_id, admin_mac, created_ms, ends_ms)
VALUES ($1, $2, $3, $4, $5, $6)
"""
# one statement: of several at once exactly one finds the row, and a failure leaves the code as it was
EXCHANGE = """
WITH used AS (
    DELETE FROM sign_in_codes WHERE code_hash = $1 AND admin_mac = $2 AND ends_ms > $5 RETURNING role, project_id
)
INSERT INTO sign_ins (token_hash, role, project_id, admin_mac, created_ms, ends_ms)
SELECT $3, role, project_id, $4, $5, $6 FROM used RETURNING role, project_id
"""
CLEAN_SIGN_INS = "DELETE FROM sign_ins WHERE ends_ms <= $1"
CLEAN_CODES = "DELETE FROM sign_in_codes WHERE ends_ms <= $1"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in opens: everything (`admin`), or one project for reading or for writing too, or of that
    project one replay for reading.
    """

    role: GrantRole
    project_id: int | None = None
    session_id: int | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """One row; digests in hex, None but for that of what granted it."""

    role: GrantRole
    project_id: int | None
    ends_ms: int
    admin_mac: str | None
    key_digest: str | None
    share_digest: str | None


class SignIns:
    """Begins, recognises and ends sign-ins; every method may raise DatabaseUnavailable."""

    def __init__(
        self,
        db: Database,
        cache: Cache,
        bus: Bus | None,
        clock: Callable[[], int],
        lives: Lives,
        *,
        api_keys: ApiKeys,
        shares: Shares,
        admin_key: str,
        ttl_ms: int,
    ) -> None:
        self._db, self._clock, self._ttl_ms = db, clock, ttl_ms
        self._api_keys, self._shares, self._admin_key = api_keys, shares, admin_key
        self._held: LayeredCache[SignIn] = LayeredCache(
            "sign_in",
            load=self._load,
            codec=RecordCodec(SignIn),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for sign-outs in other processes."""
        await self._held.start()

    async def by_key(self, secret: str) -> tuple[str, Grant] | None:
        """Signs in with the admin key or an API key -> (token, what it opens), or None: not known."""
        token, now_ms = _new_secret(), self._clock()
        ends_ms = now_ms + self._ttl_ms
        if hmac.compare_digest(_hash(secret), _hash(self._admin_key)):
            mac = mac_of(token, self._admin_key)
            await self._db.execute(INSERT, _hash(token), "admin", None, None, mac, now_ms, ends_ms)
            return token, Grant("admin")
        key = await self._api_keys.authenticate(secret)
        if key is None:
            return None
        granted = (key.role, key.project_id, key.api_key_id)
        await self._db.execute(INSERT, _hash(token), *granted, None, now_ms, ends_ms)
        return token, Grant(key.role, key.project_id)

    async def by_code(self, code: str) -> tuple[str, Grant] | None:
        """Uses up a one-time code -> (token, what it opens), or None: unknown, used, or too old."""
        if not _SECRET.fullmatch(code):
            return None
        token, now_ms = _new_secret(), self._clock()
        row = await self._db.fetchrow(
            EXCHANGE,
            _hash(code),
            mac_of(code, self._admin_key),
            _hash(token),
            mac_of(token, self._admin_key),
            now_ms,
            now_ms + self._ttl_ms,
        )
        return None if row is None else (token, Grant(**dict(row)))

    async def by_share(self, link: str) -> tuple[str, Grant] | None:
        """Signs in with a link's token -> (token, what it opens), or None: unknown, revoked, or too old."""
        found = await self._shares.by_token(link)
        if found is None:
            return None
        digest, share = found
        token, now_ms = _new_secret(), self._clock()
        values = (_hash(token), bytes.fromhex(digest), now_ms, now_ms + self._ttl_ms)
        if not await self._db.fetchval(INSERT_BY_SHARE, *values):
            return None
        return token, Grant("read", share.project_id, share.session_id)

    async def authenticate(self, token: str) -> Grant | None:
        """What the token opens now, or None."""
        if not _SECRET.fullmatch(token):
            return None
        found = await self._held.get_and_refresh(_hash(token).hex())
        if found is None or found.ends_ms <= self._clock():
            return None
        if found.key_digest is not None:
            key = await self._api_keys.by_digest(found.key_digest)
            return None if key is None else Grant(key.role, key.project_id)
        if found.share_digest is not None:
            share = await self._shares.by_digest(found.share_digest)
            return None if share is None else Grant("read", share.project_id, share.session_id)
        wanted = mac_of(token, self._admin_key).hex()
        if found.admin_mac is None or not hmac.compare_digest(found.admin_mac, wanted):
            return None
        return Grant(found.role, found.project_id)

    async def end(self, token: str) -> None:
        """Signs out, for all processes."""
        if _SECRET.fullmatch(token):
            digest = _hash(token)
            await self._db.execute(END, digest)
            await self._held.invalidate(digest.hex())

    async def _load(self, digest: str) -> SignIn | None:
        row = await self._db.fetchrow(BY_HASH, bytes.fromhex(digest), self._clock())
        return None if row is None else SignIn(**dict(row))


async def issue_code(db: Database, grant: Grant, *, admin_key: str, now_ms: int, ttl_ms: int) -> str:
    """A new one-time code that signs in for `grant`. Raises DatabaseUnavailable."""
    code = _new_secret()
    values: tuple[Any, ...] = (grant.role, grant.project_id, mac_of(code, admin_key), now_ms, now_ms + ttl_ms)
    await db.execute(ISSUE, _hash(code), *values)
    return code


async def clean(db: Database, now_ms: int) -> None:
    """Deletes what has ended."""
    await db.execute(CLEAN_SIGN_INS, now_ms)
    await db.execute(CLEAN_CODES, now_ms)
    await db.execute(CLEAN_SHARES, now_ms)


def mac_of(secret: str, admin_key: str) -> bytes:
    """Binds a secret that is not kept to the admin key: says nothing of either."""
    return hmac.digest(secret.encode(), admin_key.encode("utf-8", "replace"), "sha256")


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
