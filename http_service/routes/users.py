"""Users known to a project, by the team's own numbers. Source: interface section 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import protocol_models as models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from projects import ProjectUser


async def put_users(call: Call) -> Response:
    """Add users or rename them; those not named stay."""
    project = await call.project()
    wanted = await call.json(models.KnownUsers)
    known = [ProjectUser(user.id, user.username) for user in wanted.users]
    await call.services.projects.put_users(project.project_id, known)
    return json_answer(models.KnownUsersOut(users=wanted.users))


async def list_users(call: Call) -> Response:
    """A page of users by number."""
    project = await call.project()
    query = call.query(models.KnownUsersQuery)
    after = min(int(query.cursor or 0), 2**63 - 1)
    found = await call.services.projects.users(project.project_id, after=after, limit=query.limit + 1)
    users = [models.KnownUser(id=each.user_id, username=each.username) for each in found[: query.limit]]
    cursor = str(users[-1].id) if len(found) > query.limit else None
    return json_answer(models.KnownUsersOut(users=users, next_cursor=cursor))


_KEY: Final = {"key": "project key"}
_USERS: Final = {"users": [{"id": 10, "username": "alice"}]}

OPERATIONS: Final = (
    Operation(
        "PUT",
        "/api/v1/projects/{key}/users",
        "Add or rename users known to the project",
        "projects",
        Access.WRITE,
        (Reply(200, "the users as they are now", models.KnownUsersOut, example=_USERS),),
        handle=put_users,
        body=models.KnownUsers,
        body_example=_USERS,
        refusals=(400, 404, 413, 415, 422, 503),
        parameters=_KEY,
    ),
    Operation(
        "GET",
        "/api/v1/projects/{key}/users",
        "List users known to the project",
        "projects",
        Access.READ,
        (Reply(200, "users by number", models.KnownUsersOut, example={**_USERS, "next_cursor": None}),),
        handle=list_users,
        query=models.KnownUsersQuery,
        refusals=(404, 422, 503),
        parameters=_KEY,
    ),
)
