"""Which events of other protocols belong to a recorded session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events import collected
from events.collected import Belonging
from sessions.model import Session
from sessions.timeline import Collected, CollectedEvent

if TYPE_CHECKING:
    from playhead.wiring import Services

#: events that a timeline shows
MOST: Final = 2_000
#: how far outside of a session its users' events still belong to it, ms
SLACK_MS: Final = 10_000


async def collected_of(services: Services, session: Session) -> Collected:
    """Events that name the session, and those of its time that name anyone who was its user at some moment."""
    wanted = Belonging(
        project_id=session.project_id,
        session_id=str(session.session_id),
        user_ids=await services.replays.users(session),
        from_us=(session.started_ms - SLACK_MS) * 1000,
        to_us=(session.started_ms + session.duration_ms + SLACK_MS) * 1000,
    )
    found = await collected.of_session(services.db, wanted, MOST + 1)
    shown = [
        CollectedEvent(each.at_us, each.source, each.category, each.name, each.shown_id)
        for each in found[:MOST]
    ]
    return Collected(shown, truncated=len(found) > MOST)
