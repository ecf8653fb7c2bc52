"""Schemas of categories. Source: spec/event-service.md 6."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from events.held_schemas import Schema
from events.judging import MAX_CHARS
from http_service import event_models as models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import one_project
from playhead.errors import Detail, InvalidBody, UnsupportedMedia, ValidationFailed


async def put(call: Call) -> Response:
    """Set a category's schema; it binds what is sent from now on."""
    category = call.path("category")
    kind = call.header("content-type").partition(";")[0].strip().lower()
    if kind and kind not in ("application/json", "application/schema+json"):
        raise UnsupportedMedia("Content-Type must be application/json")
    project_id = await _project_id(call)
    body = await call.body()
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidBody("the body is not JSON", code="invalid_json") from None
    if not category.strip() or len(category) > MAX_CHARS:
        detail = Detail("category", "invalid_value", f"1 to {MAX_CHARS} characters")
        raise ValidationFailed("no category has such a name", details=[detail])
    schema = await call.services.events.schemas.put(project_id, category, body, value)
    return json_answer(_shown(schema), 201 if schema.version == 1 else 200)


async def list_all(call: Call) -> Response:
    """All schemas of the project."""
    project_id = await _project_id(call)
    schemas = await call.services.events.schemas.list(project_id)
    return json_answer({"schemas": [_shown(each) for each in schemas]})


async def get(call: Call) -> Response:
    """A category's schema."""
    project_id = await _project_id(call)
    return json_answer(_shown(await call.services.events.schemas.get(project_id, call.path("category"))))


async def delete(call: Call) -> Response:
    """From now on the category takes any object, unless the project is strict."""
    project_id = await _project_id(call)
    await call.services.events.schemas.delete(project_id, call.path("category"))
    return Response(status_code=204)


async def _project_id(call: Call) -> int:
    query = call.query(models.ProjectQuery)
    return (await one_project(call.services.projects, call.caller, query.project)).project_id


def _shown(schema: Schema) -> dict[str, Any]:
    return {"category": schema.category, "version": schema.version, "schema": orjson.loads(schema.text)}


_CATEGORY: Final = {"category": "the category, percent-encoded"}
_BODY: Final = {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}}
_SCHEMA: Final = {"category": "party", "version": 1, "schema": _BODY}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/schemas",
        "List the schemas of categories",
        "schemas",
        Access.READ,
        (Reply(200, "schemas", models.SchemasOut, example={"schemas": [_SCHEMA]}),),
        handle=list_all,
        query=models.ProjectQuery,
        prefixed=True,
        refusals=(404, 422, 503),
    ),
    Operation(
        "PUT",
        "/api/v1/schemas/{category}",
        "Set a category's schema",
        "schemas",
        Access.WRITE,
        (
            Reply(200, "replaced", models.SchemaOut, example={**_SCHEMA, "version": 2}),
            Reply(201, "new", models.SchemaOut, example=_SCHEMA),
        ),
        handle=put,
        query=models.ProjectQuery,
        body=models.SchemaIn,
        body_example=_BODY,
        description="JSON Schema 2020-12 for `data`; `$ref` only within the document. At most 256 KiB and 100 "
        "patterns, and nothing that takes long to check. Binds what is sent after.",
        prefixed=True,
        refusals=(400, 404, 413, 415, 422, 503),
        parameters=_CATEGORY,
    ),
    Operation(
        "GET",
        "/api/v1/schemas/{category}",
        "Read a category's schema",
        "schemas",
        Access.READ,
        (Reply(200, "the schema", models.SchemaOut, example=_SCHEMA),),
        handle=get,
        query=models.ProjectQuery,
        prefixed=True,
        refusals=(404, 422, 503),
        parameters=_CATEGORY,
    ),
    Operation(
        "DELETE",
        "/api/v1/schemas/{category}",
        "Remove a category's schema",
        "schemas",
        Access.WRITE,
        (Reply(204, "removed", content_type=""),),
        handle=delete,
        query=models.ProjectQuery,
        prefixed=True,
        refusals=(404, 422, 503),
        parameters=_CATEGORY,
    ),
)
