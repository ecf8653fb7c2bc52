"""What a caller sees: foreign and absent are the same NotFound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from http_service.auth import Caller
from playhead.errors import Detail, NotFound, ValidationFailed
from projects import Project
from sessions.ids import MAX_ID

if TYPE_CHECKING:
    from projects import ProjectService
    from sessions import Replays
    from sessions.model import Session


async def seen_project(projects: ProjectService, caller: Caller, key: str) -> Project:
    """The project of this key if the caller sees it, active or not. Raises NotFound."""
    try:
        project = await projects.by_key(key, inactive=True)
    except NotFound:
        project = None
    if project is None or not caller.sees(project.project_id):
        raise NotFound("no project with this key")
    return project


async def seen_session(replays: Replays, caller: Caller, text: str) -> Session:
    """The session of this id if the caller sees it. Raises NotFound, the same for foreign, absent and no id."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID:
        return await replays.find(int(text), visible_projects(caller))
    raise NotFound("no such replay")


async def scope_of(projects: ProjectService, caller: Caller, key: str | None) -> tuple[int, ...] | None:
    """The project ids that a list may hold: of `key` if given, else all that the caller sees (None: every one)."""
    if key is not None:
        return ((await seen_project(projects, caller, key)).project_id,)
    return visible_projects(caller)


async def one_project(projects: ProjectService, caller: Caller, key: str | None) -> Project:
    """The one project that a request is about: the caller's own, or for the admin the one named.

    Raises NotFound, ValidationFailed when the admin names none.
    """
    if key is not None:
        return await seen_project(projects, caller, key)
    if caller.project_id is None:
        detail = Detail("project", "missing_field", "with the admin key the project must be named")
        raise ValidationFailed("no project named", details=[detail])
    return await projects.by_id(caller.project_id)


def visible_projects(caller: Caller) -> tuple[int, ...] | None:
    """The caller's only project, or None for the admin."""
    return None if caller.admin else (caller.project_id or 0,)
