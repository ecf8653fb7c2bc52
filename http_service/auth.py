"""Who calls the reading and managing routes: the admin key, an API key, a signed-in browser, or nobody."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from starlette.requests import Request

from http_service import origins, sign_in_cookie
from playhead.errors import Forbidden, NotFound, Unauthorized
from projects import Grant

if TYPE_CHECKING:
    from http_service.context import Context


class Access(Enum):
    """What an operation asks of its caller."""

    PUBLIC = "no credential"
    TRACKER = "a session token"  # checked by the operation itself
    SEND = "a project key, an API key with the role write, or the admin key"
    READ = "an API key, the admin key, or a sign-in"
    WRITE = "an API key with the role write, the admin key, or a sign-in by one"
    ADMIN = "the admin key, or a sign-in by it"


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller; `project_id` is the only project that it sees, None for the admin (and for nobody), and
    `session_id` the only replay, None for all.
    """

    admin: bool = False
    project_id: int | None = None
    writes: bool = False
    sends: bool = False  # by a project key, which opens nothing else
    session_id: int | None = None

    @property
    def role(self) -> Literal["admin", "write", "read", "share"]:
        """What it may do, in the words of the API."""
        if self.session_id is not None:
            return "share"
        return "admin" if self.admin else "write" if self.writes else "read"

    def sees(self, project_id: int) -> bool:
        """Whether this project's data is the caller's to see."""
        return self.admin or self.project_id == project_id


#: the event service, which a trusted network may open to everybody (spec/event-service.md 2)
OPEN_PATHS = ("/api/v1/events", "/api/v1/sessions", "/api/v1/schemas", "/api/v1/errors")

NOBODY = Caller()
ADMIN = Caller(admin=True, writes=True)


async def authenticate(request: Request, access: Access, context: Context, *, cookies: bool) -> Caller:
    """The caller by `Authorization: Bearer <key>`, for sending by `X-Project-Key: <key>`, else by the cookie
    of a sign-in, if `cookies` are taken here.

    Raises Unauthorized where one is needed; Forbidden for a project key that wants more, or a cookie that
    another site's page may have sent; DatabaseUnavailable.
    """
    if access in (Access.PUBLIC, Access.TRACKER):
        return NOBODY
    secret = bearer_of(request)
    if secret:
        caller = await by_key(secret, context)
        if caller is None:
            raise Unauthorized("this key is not known")
        return caller
    if cookies and "x-project-key" not in request.headers:
        signed_in = await _by_cookie(request, context)
        if signed_in is not None:
            return signed_in
    return await _by_project_key(request, access, context)


async def by_key(secret: str, context: Context) -> Caller | None:
    """Whose key this is, the admin's or an API key's. Raises DatabaseUnavailable."""
    if same(secret, context.services.secrets.admin_key):
        return ADMIN
    key = await context.services.api_keys.authenticate(secret)
    return None if key is None else Caller(project_id=key.project_id, writes=key.role == "write")


def caller_of(grant: Grant) -> Caller:
    """Who is signed in so."""
    if grant.role == "admin":
        return ADMIN
    return Caller(project_id=grant.project_id, writes=grant.role == "write", session_id=grant.session_id)


async def _by_cookie(request: Request, context: Context) -> Caller | None:
    """Who is signed in, None if nobody is. Raises Forbidden, DatabaseUnavailable."""
    token = sign_in_cookie.token_of(request)
    grant = await context.services.sign_ins.authenticate(token) if token else None
    if grant is None:
        return None
    if request.method not in origins.SAFE_METHODS:
        origins.refuse_other_sites(request, context.services.settings.public_url)
    return caller_of(grant)


async def _by_project_key(request: Request, access: Access, context: Context) -> Caller:
    """The caller without an Authorization header."""
    projects, default = context.services.projects, context.services.settings.default_project
    key = request.headers.get("x-project-key", "")
    if key:
        try:
            project = await projects.by_key(key)
        except NotFound:
            raise Unauthorized("this project key is not known") from None
        if access is not Access.SEND:
            raise Forbidden("a project key may only send events")
        return Caller(project_id=project.project_id, sends=True)
    if default and access is not Access.ADMIN and request.url.path.startswith(OPEN_PATHS):
        with suppress(NotFound):
            project = await projects.by_key(default)
            if project.options.events.open:
                return Caller(project_id=project.project_id, writes=True)
    raise Unauthorized("an API key or the admin key is needed (Authorization: Bearer <key>), or a sign-in")


def confine(caller: Caller, *, shared: bool, session_id: str | None) -> None:
    """Raises NotFound where a caller who sees one replay is past it: `shared` routes are its own, and on those
    that name a replay only this one.
    """
    if caller.session_id is None:
        return
    if not shared or session_id not in (None, str(caller.session_id)):
        raise NotFound


def require(caller: Caller, access: Access) -> None:
    """Raises Forbidden if this caller may not do what `access` stands for."""
    if access is Access.SEND and not (caller.sends or caller.writes):
        raise Forbidden("this key may only read")
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
