"""Which session a record's content belongs to, when the token names another one.

SDKs send what an earlier run left over (late files, crash files, screenshot archives) under the token of the next
session. Source: spec/openreplay-mobile.md 9.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessions.model import Session
from workers.reading import Reading

#: how long after its last message a session still claims late data, ms
TAIL_MS = 150_000


@dataclass(frozen=True, slots=True)
class Span:
    """A session's share of a record: messages of `since_ms <= device time < until_ms`."""

    session_id: int
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the share is everything."""
        return self.since_ms is None and self.until_ms is None

    def holds(self, timestamp: int) -> bool:
        """Whether a message of this device time is in the share."""
        return (self.since_ms is None or timestamp >= self.since_ms) and (
            self.until_ms is None or timestamp < self.until_ms
        )


def late_spans(reading: Reading, own: Session, earlier: Sequence[Session]) -> list[Span]:
    """How a late file is divided between the token's session and one earlier session of the same user.

    `earlier`: that user's sessions before `own`, newest first. Messages from before `own` began (by the device's
    clock) go to the newest earlier session whose time holds the last of them.
    """
    begin = own.device_start_ms
    times = list(reading.times_ms())
    before = [at_ms for at_ms in times if begin is not None and at_ms < begin]
    if begin is None or not before:
        return [Span(own.session_id)]
    newest = max(before)
    target = next((session for session in earlier if _holds(session, newest)), None)
    if target is None:
        return [Span(own.session_id)]
    spans = [Span(target.session_id, until_ms=begin)]
    if len(before) < len(times):
        spans.append(Span(own.session_id, since_ms=begin))
    return spans


def _holds(session: Session, device_ms: int) -> bool:
    starts = [ms for ms in (session.device_start_ms, session.device_first_ms) if ms is not None]
    if not starts:
        return False
    last = session.device_last_ms if session.device_last_ms is not None else max(starts)
    return min(starts) <= device_ms <= max(last, max(starts)) + TAIL_MS


def same_device(one: Session | None, other: Session | None, user_uuid: str) -> bool:
    """Whether two sessions come from one installation of one app in one project."""
    if other is None:
        return False
    uuid = user_uuid or (one.user_uuid if one else "")
    same_project = one is None or one.project_id == other.project_id
    return same_project and bool(uuid) and other.user_uuid.lower() == uuid.lower()
