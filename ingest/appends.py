"""What an SDK's append becomes: token and time decide whose it is; its content is judged by the workers.

Source: spec/openreplay-mobile.md 1.4, 1.5, 9.2 (timed-out tokens, stray archives), sessions/tokens.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import xxhash

from playhead.errors import TokenTimedOut
from sessions.ids import MAX_ID, SessionId, compose
from sessions.tokens import Claims
from storage.segment_file import Record

Route = Literal["batch", "late", "images"]

DEFAULT_LIFETIME_MS: Final = 7_200_000
MAX_LIFETIME_MS: Final = 366 * 86_400_000
DAY_MS: Final = 86_400_000
#: how far into a multipart body the first part's file name is looked for
NAME_WINDOW_BYTES: Final = 4096
_ARCHIVE_NAME: Final = re.compile(rb'filename="?(\d{1,20})-', re.I)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose data this is: the token's session, or the one that follows it."""

    claims: Claims
    session_id: SessionId
    outcome: Literal["current", "continued", "late", "too_old"]


def needs_platform(claims: Claims, route: Route, now_ms: int) -> bool:
    """Whether `identify` depends on a platform that the token does not name."""
    return route != "late" and not claims.platform and claims.expired(now_ms)


def identify(claims: Claims, route: Route, *, platform: str, now_ms: int, grace_ms: float) -> Sender:
    """Whose data a token's bearer sends at `now_ms`; `platform` is used where the token names none.

    A timed-out token: `/late` keeps its session; Android, which never restarts, goes on in a follow-up session;
    anyone else gets TokenTimedOut and starts anew. Past the grace nothing is kept, but it is acknowledged, since
    these SDKs resend whatever is not 2xx.
    """
    if not claims.expired(now_ms):
        return Sender(claims, claims.session_id, "current")
    if route != "late" and (claims.platform or platform) != "android":
        raise TokenTimedOut()
    if now_ms - claims.expires_ms > grace_ms:
        return Sender(claims, claims.session_id, "too_old")
    if route == "late":
        return Sender(claims, claims.session_id, "late")
    return Sender(claims, follow_up(claims, now_ms), "continued")


def follow_up(claims: Claims, now_ms: int) -> SessionId:
    """The session that continues a timed-out one at `now_ms`: one per lifetime of the token, alike on all servers."""
    lifetime_ms = claims.expires_ms - claims.issued_ms
    if not 1000 <= lifetime_ms <= MAX_LIFETIME_MS:
        lifetime_ms = DEFAULT_LIFETIME_MS
    turn = (now_ms - claims.expires_ms) // lifetime_ms
    low = xxhash.xxh3_64_intdigest(f"{claims.session_id}:{turn}".encode())
    return compose(claims.expires_ms + turn * lifetime_ms, low)


def record_of(
    sender: Sender, route: Route, body: bytes, *, received_us: int, legacy: bool, content_type: str = ""
) -> Record:
    """The journal record of one append; `content_type` only for images."""
    claims = sender.claims
    if sender.outcome == "too_old":
        return Record("expired", claims.project_id, sender.session_id, received_us, {"route": route}, b"")
    meta: dict[str, Any] = {}
    if claims.platform:
        meta["plt"] = claims.platform
    if claims.user_uuid:
        meta["uid"] = claims.user_uuid
    if legacy:
        meta["layout"] = "legacy"
    if not claims.record:
        meta["dnr"] = True
    if sender.outcome != "current":
        meta["expired"] = True
    if sender.outcome == "continued":
        meta["continues"] = claims.session_id
    kind: str = route
    if route == "images":
        meta["content_type"] = content_type
        kind = "stray" if is_stray(body, sender) else "images"
    return Record(kind, claims.project_id, sender.session_id, received_us, meta, body)


def is_stray(body: bytes, sender: Sender) -> bool:
    """Whether an image upload names another session than its token's: `filename="<session>-<last>.tar.gz"`."""
    named = named_session(body)
    return named is not None and named not in (sender.claims.session_id, sender.session_id)


def named_session(body: bytes) -> int | None:
    """The session id in the first archive's file name, if it has one that can be a session's."""
    found = _ARCHIVE_NAME.search(body, 0, NAME_WINDOW_BYTES)
    return int(found[1]) if found is not None and 0 < int(found[1]) <= MAX_ID else None
