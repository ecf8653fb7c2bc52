"""Erasing what is known of one user."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from events import erased_in_journal, erased_users, refusals
from events.incoming import clean_text
from projects.user_keys import user_key
from sessions import erasure
from sessions.search import ReplayFilters

if TYPE_CHECKING:
    from playhead.wiring import Services


async def erase_user(services: Services, project_id: int, user_id: str) -> None:
    """Erase every session in which this user was named, and every event of any protocol that names the user, refused
    ones too.
    """
    user_id = clean_text(user_id)  # as it is kept
    filters = ReplayFilters(facets={"user_id": user_id}, limit=100)
    removed = Counter(sessions=0, events=0, event_errors=0)
    while found := (await services.replays.page(filters, (project_id,))).sessions:
        for session in found:
            removed["sessions"] += await services.replays.delete(session)
    known_as = user_key(user_id)
    removed["events"] = await erased_users.erase(services.db, project_id, known_as, services.clock())
    removed["event_errors"] = await refusals.delete_of_user(services.db, project_id, user_id)
    await erased_users.report(services.db, project_id, known_as, removed)


async def remains_of_users(services: Services) -> tuple[int, dict[tuple[int, str], Counter[str]]]:
    """How many users were erased, and what of them is still there: (project id, user) -> number by store.

    What came after the erasure is a new life.
    """
    db = services.db
    users = await erased_users.every(db)
    erased_us: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for project_id, user_id, at_us in users:
        erased_us[project_id][user_id] = at_us
    left: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for project_id, user_id, _ in await erasure.remains_of_users(db):
        left[project_id, user_id]["sessions"] += 1
    for project_id, user_id, count in await erased_users.remains(db):
        left[project_id, user_id]["events"] = count
    for project_id, before_us in erased_us.items():
        for user_id, count in (await refusals.count_of_users(db, project_id, before_us)).items():
            left[project_id, user_id]["event_errors"] = count
    erased = {(project_id, user_id): at_us for project_id, user_id, at_us in users}
    for user, count in (await erased_in_journal.remains(db, services.objects, erased)).items():
        left[user]["journal"] = count
    return len(users), left
