"""Who calls the reading and managing routes: the admin key, an API key, or nobody."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from starlette.requests import Request

from playhead.errors import Forbidden, Unauthorized

if TYPE_CHECKING:
    from http_service.context import Context


class Access(Enum):
    """What an operation asks of its caller."""

    PUBLIC = "no credential"
    TRACKER = "a session token"  # checked by the operation itself
    READ = "an API key or the admin key"
    WRITE = "an API key with the role write, or the admin key"
    ADMIN = "the admin key"


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller; `project_id` is the only project that it sees, None for the admin (and for nobody)."""

    admin: bool = False
    project_id: int | None = None
    writes: bool = False

    def sees(self, project_id: int) -> bool:
        """Whether this project's data is the caller's to see."""
        return self.admin or self.project_id == project_id


NOBODY = Caller()
ADMIN = Caller(admin=True, writes=True)


async def authenticate(request: Request, access: Access, context: Context) -> Caller:
    """The caller by `Authorization: Bearer <key>`. Raises Unauthorized where one is needed; DatabaseUnavailable."""
    if access in (Access.PUBLIC, Access.TRACKER):
        return NOBODY
    secret = bearer_of(request)
    if not secret:
        raise Unauthorized("an API key or the admin key is needed: Authorization: Bearer <key>")
    if same(secret, context.services.secrets.admin_key):
        return ADMIN
    key = await context.services.api_keys.authenticate(secret)
    if key is None:
        raise Unauthorized("this key is not known")
    return Caller(project_id=key.project_id, writes=key.role == "write")


def require(caller: Caller, access: Access) -> None:
    """Raises Forbidden if this caller may not do what `access` stands for."""
    if access is Access.WRITE and not caller.writes:
        raise Forbidden("this key may only read")
    if access is Access.ADMIN and not caller.admin:
        raise Forbidden("only the admin key may do that")


def bearer_of(request: Request) -> str:
    """The key of the Authorization header, empty if there is none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def same(given: str, wanted: str) -> bool:
    """Compared in constant time, whatever the lengths."""
    digests = (hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, wanted))
    return bool(wanted) and hmac.compare_digest(*digests)
