"""Projects and their API keys. Source: interface section 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import erasing, models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.whole_lists import page_of
from projects import ApiKey, Project, ProjectChanges, ProjectCreate, ProjectView, view


async def create(call: Call) -> Response:
    """Make a project."""
    project = await call.services.projects.create(await call.json(ProjectCreate))
    return json_answer(view(project, secrets=True), 201)


async def list_all(call: Call) -> Response:
    """The projects that the caller sees."""
    query = call.query(models.WholeListQuery)
    projects = call.services.projects
    if call.caller.admin:
        found = await projects.list()
    else:
        own = await projects.find_by_id(call.caller.project_id or 0)
        found = [own] if own is not None else []
    page, cursor = page_of(found, [each.project_id for each in found], query)
    shown = [view(each, secrets=call.caller.writes) for each in page]
    return json_answer(models.ProjectsOut(projects=shown, next_cursor=cursor))


async def get(call: Call) -> Response:
    """One project."""
    return json_answer(view(await call.project(), secrets=call.caller.writes))


async def change(call: Call) -> Response:
    """Change a project; members left out stay."""
    project = await call.project()
    changes = await call.json(ProjectChanges)
    return json_answer(view(await call.services.projects.update(project.project_key, changes), secrets=True))


async def create_key(call: Call) -> Response:
    """Make an API key; its secret is in this answer only."""
    project = await call.project()
    wanted = await call.json(models.NewApiKey) if await call.body() else models.NewApiKey()
    key, secret = await call.services.api_keys.create(project.project_id, wanted.role)
    return json_answer(models.NewApiKeyOut(**_shown(key).model_dump(), secret=secret), 201)


async def list_keys(call: Call) -> Response:
    """A project's API keys, without secrets."""
    project = await call.project()
    query = call.query(models.WholeListQuery)
    keys = await call.services.api_keys.list(project.project_id)
    page, cursor = page_of(keys, range(len(keys)), query)  # none ever goes, so that a key keeps its place
    return json_answer(models.ApiKeysOut(api_keys=[_shown(key) for key in page], next_cursor=cursor))


async def revoke_key(call: Call) -> Response:
    """End an API key everywhere."""
    project = await call.project()
    await call.services.api_keys.revoke(call.path("id"), project_id=project.project_id)
    return Response(status_code=204)


async def erase(call: Call) -> Response:
    """Erase a project."""
    project = await call.project()
    for key in await call.services.api_keys.list(project.project_id):
        await call.services.api_keys.revoke(key.api_key_id)
    await call.services.projects.erase(project)
    return Response(status_code=204)


async def erase_user(call: Call) -> Response:
    """Erase a user."""
    project = await call.project()
    await erasing.erase_user(call.services, project.project_id, call.path("user_id"))
    return Response(status_code=204)


def _shown(key: ApiKey) -> models.ApiKeyOut:
    return models.ApiKeyOut(
        id=key.api_key_id, role=key.role, created_ms=key.created_ms, revoked_ms=key.revoked_ms
    )


_KEY: Final = {"key": "project key"}
_NEW: Final = {"key": "shop-ios", "name": "Shop", "platform": "ios", "sample_rate": 50}
_PROJECT: Final = view(
    Project(
        project_id=1,
        project_key="shop-ios",
        name="Shop",
        platform="ios",
        sample_rate=50,
        created_ms=1_767_225_600_000,
        updated_ms=1_767_225_600_000,
    ),
    secrets=False,
).model_dump(mode="json")
_API_KEY: Final = {
    "id": "9f86d081884c7d65",
    "role": "read",
    "created_ms": 1_767_225_600_000,
    "revoked_ms": None,
}

OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/projects",
        "Make a project",
        "projects",
        Access.ADMIN,
        (Reply(201, "the project, with the secrets of its protocols", ProjectView, example=_PROJECT),),
        handle=create,
        body=ProjectCreate,
        body_example=_NEW,
        refusals=(400, 409, 413, 415, 422, 503),
    ),
    Operation(
        "GET",
        "/api/v1/projects",
        "List projects: all with the admin key, else the caller's own",
        "projects",
        Access.READ,
        (Reply(200, "projects", models.ProjectsOut, example={"projects": [_PROJECT], "next_cursor": None}),),
        handle=list_all,
        query=models.WholeListQuery,
        refusals=(422, 503),
    ),
    Operation(
        "GET",
        "/api/v1/projects/{key}",
        "Read a project",
        "projects",
        Access.READ,
        (Reply(200, "the project; secrets only for who may write", ProjectView, example=_PROJECT),),
        handle=get,
        refusals=(404, 503),
        parameters=_KEY,
    ),
    Operation(
        "PATCH",
        "/api/v1/projects/{key}",
        "Change a project",
        "projects",
        Access.WRITE,
        (Reply(200, "the project as it is now", ProjectView, example=_PROJECT),),
        handle=change,
        body=ProjectChanges,
        body_example={"sample_rate": 20},
        refusals=(400, 404, 413, 415, 422, 503),
        parameters=_KEY,
    ),
    Operation(
        "DELETE",
        "/api/v1/projects/{key}",
        "Erase a project with everything in it",
        "projects",
        Access.ADMIN,
        (Reply(204, "gone; workers delete its rows, recordings and share of the journal", content_type=""),),
        handle=erase,
        refusals=(404, 503),
        parameters=_KEY,
    ),
    Operation(
        "POST",
        "/api/v1/projects/{key}/api-keys",
        "Make an API key",
        "projects",
        Access.ADMIN,
        (
            Reply(
                201,
                "the key with its secret, shown this once",
                models.NewApiKeyOut,
                example={**_API_KEY, "secret": "phk_…"},
            ),
        ),
        handle=create_key,
        body=models.NewApiKey,
        body_example={"role": "read"},
        refusals=(400, 404, 413, 415, 422, 503),
        parameters=_KEY,
    ),
    Operation(
        "GET",
        "/api/v1/projects/{key}/api-keys",
        "List API keys",
        "projects",
        Access.ADMIN,
        (
            Reply(
                200,
                "keys, revoked ones too",
                models.ApiKeysOut,
                example={"api_keys": [_API_KEY], "next_cursor": None},
            ),
        ),
        handle=list_keys,
        query=models.WholeListQuery,
        refusals=(404, 422, 503),
        parameters=_KEY,
    ),
    Operation(
        "DELETE",
        "/api/v1/projects/{key}/api-keys/{id}",
        "Revoke an API key",
        "projects",
        Access.ADMIN,
        (Reply(204, "revoked", content_type=""),),
        handle=revoke_key,
        refusals=(404, 503),
        parameters={**_KEY, "id": "id of the API key"},
    ),
    Operation(
        "DELETE",
        "/api/v1/projects/{key}/users/{user_id}",
        "Erase a user: every session in which the user was named",
        "projects",
        Access.WRITE,
        (Reply(204, "erased, or there was none", content_type=""),),
        handle=erase_user,
        refusals=(404, 503),
        parameters={**_KEY, "user_id": "the user's id, percent-encoded"},
    ),
)
