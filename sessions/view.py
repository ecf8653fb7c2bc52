"""A session as the API shows it. Source: interface section 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sessions.facts import Summary
from sessions.model import COUNTERS, Session


@dataclass(frozen=True, slots=True)
class ReplayView:
    """One replay: the session, its counters and findings. The project's key is added where it is known."""

    session: Session
    counts: dict[str, int]
    issues: list[dict[str, Any]]
    completeness: dict[str, Any] | None = None
    user_id: str = ""
    anonymous_id: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    def as_json(self, project_key: str | None = None) -> dict[str, Any]:
        """The members of interface section 5; times are corrected ones, ms."""
        session = self.session
        shown: dict[str, Any] = {
            "session_id": str(session.session_id),
            "project": project_key,
            "status": "live" if session.live else "ready",
            "platform": session.platform,
            "started_ms": session.started_ms,
            "duration_ms": session.duration_ms,
            "received_ms": session.last_received_ms,
            "clock_offset_ms": session.clock_offset_ms or 0,
            "user": {
                "uuid": session.user_uuid or None,
                "id": self.user_id or None,
                "anonymous_id": self.anonymous_id or None,
            },
            "device": {
                "model": session.device_model,
                "name": session.device_name,
                "type": session.device_type,
                "os": session.os,
                "os_version": session.os_version,
                "memory_kb": session.memory_kb,
                "width": session.width,
                "height": session.height,
            },
            "app": {"tracker_version": session.tracker_version, "revision": session.revision},
            "geo": {"country": session.country, "state": session.state, "city": session.city},
            "timezone": session.timezone,
            "metadata": self.metadata,
            "counts": self.counts,
            "issues": self.issues,
            "pinned": session.pinned,
            "continues": str(session.continues) if session.continues is not None else None,
        }
        if self.completeness is not None:
            shown["completeness"] = self.completeness
        return shown


def view_of(
    session: Session,
    issues: Sequence[dict[str, Any]],
    completeness: dict[str, Any] | None = None,
    *,
    counts: dict[str, int] | None = None,
    summary: Summary | None = None,
) -> ReplayView:
    """A view from the row, with fresher counters and words where they are known; issue times get corrected."""
    stored = {name: getattr(session, name) for name in COUNTERS}
    return ReplayView(
        session=session,
        counts=stored | (counts or {}),
        issues=[{**issue, "at_ms": session.corrected_ms(issue["at_ms"])} for issue in issues],
        completeness=completeness,
        user_id=(summary.user_id if summary else "") or session.user_id,
        anonymous_id=(summary.anonymous_id if summary else "") or session.anonymous_id,
        metadata=(summary.metadata if summary else None) or session.metadata,
    )
