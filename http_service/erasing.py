"""Erasing what is known of one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events import refusals
from events import store as event_store
from sessions.search import ReplayFilters

if TYPE_CHECKING:
    from playhead.wiring import Services


async def erase_user(services: Services, project_id: int, user_id: str) -> None:
    """Erase every session in which this user was named (a session knows the first TERM_CHARS of an id), and every
    event of any protocol that names the user, refused ones too.
    """
    filters = ReplayFilters(facets={"user_id": user_id}, limit=100)
    while found := (await services.replays.page(filters, (project_id,))).sessions:
        for session in found:
            await services.replays.delete(session)
    await event_store.delete_of_user(services.db, project_id, user_id)
    await refusals.delete_of_user(services.db, project_id, user_id)
