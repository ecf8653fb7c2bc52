"""The table of operations as an OpenAPI 3.1 document, and as a page that needs nothing from other hosts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from http_service import sign_in_cookie
from http_service.auth import Access
from http_service.models import Error
from http_service.operations import Operation, Reply

REF: Final = "#/components/schemas/{model}"
_BY_ACCESS: Final = {
    Access.PUBLIC: (),
    Access.TRACKER: (401,),
    Access.SEND: (401, 403),
    Access.READ: (401, 403, 404),
    Access.WRITE: (401, 403, 404),
    Access.ADMIN: (401, 403, 404),
}
_SCHEMES: Final = {Access.TRACKER: ("session",), Access.SEND: ("project", "key")}
_READERS: Final = ("key", "cookie")
_REFUSALS: Final = {
    400: "the body cannot be read",
    401: "no valid credential",
    403: "not allowed",
    404: "not there, or not the caller's",
    409: "contradicts what is stored",
    413: "over a size limit",
    415: "wrong Content-Type",
    422: "a value breaks a rule; `details` say which",
    426: "the tracker is too old",
    429: "too often; see Retry-After",
    503: "not now; see Retry-After",
}
_STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:3rem}details{border:1px solid #8884;border-radius:6px;margin:.5rem 0;padding:.5rem 1rem}
summary{cursor:pointer}code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;background:#8881;padding:1rem}
.m{display:inline-block;min-width:4.5rem;font-weight:600}td{padding:.1rem 1rem .1rem 0;vertical-align:top}
"""


@dataclass(frozen=True)
class Description:
    """What `/openapi.json` and `/docs` answer for these operations; made when it is first asked for."""

    operations: tuple[Operation, ...]
    title: str
    version: str
    server_url: str = ""

    @cached_property
    def openapi(self) -> bytes:
        """The document as JSON."""
        return orjson.dumps(
            document_of(self.operations, title=self.title, version=self.version, server_url=self.server_url)
        )

    @cached_property
    def page(self) -> bytes:
        """The same to read."""
        return page_of(self.operations, self.title).encode()

    @cached_property
    def page_policy(self) -> str:
        """The page's Content-Security-Policy."""
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


def document_of(
    operations: tuple[Operation, ...], *, title: str, version: str, server_url: str = ""
) -> dict[str, Any]:
    """OpenAPI 3.1 as plain values."""
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(shown_path(each), {})[each.method.lower()] = _operation(each, schemas)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": "Session replay for mobile apps. Times are ms since the epoch, UTC; ids are text. "
            "Ingest routes and those of the event service also answer under `/ingest`, collectors that name no "
            "project under `/p/{project_key}`.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "API key or admin key"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": sign_in_cookie.NAME,
                    "description": "of a sign-in",
                },
                "project": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Project-Key",
                    "description": "project key",
                },
                "session": {"type": "http", "scheme": "bearer", "description": "session token of a start"},
            },
        },
    }
    if server_url:
        document["servers"] = [{"url": server_url}]
    return document


@dataclass(frozen=True, slots=True)
class _Schemas:
    """JSON Schemas of all models: `refs` by (model, "validation" | "serialization")."""

    definitions: dict[str, Any]
    refs: dict[tuple[Any, str], dict[str, Any]]

    def ref(self, model: type[BaseModel], mode: str = "serialization") -> dict[str, Any]:
        return self.refs[model, mode]


def _schemas(operations: Iterable[Operation]) -> _Schemas:
    wanted: dict[tuple[type[BaseModel], Any], None] = {(Error, "serialization"): None}
    for each in operations:
        for reply in each.replies:
            if reply.model is not None:
                wanted[reply.model, "serialization"] = None
        if each.words is not None:
            wanted[each.words.model, "serialization"] = None
        for model in (each.body, each.query):
            if model is not None:
                wanted[model, "validation"] = None
    refs, schema = models_json_schema(list(wanted), ref_template=REF)
    by_model: dict[tuple[Any, str], dict[str, Any]] = {key: dict(value) for key, value in refs.items()}
    return _Schemas(schema.get("$defs", {}), by_model)


def _operation(each: Operation, schemas: _Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation_id(each),
        "summary": each.summary,
        "tags": [each.tag],
        "parameters": [*_path_parameters(each), *_query_parameters(each, schemas)],
        "responses": {str(reply.status): _reply(reply, schemas) for reply in each.replies},
    }
    if each.description:
        shown["description"] = each.description
    if each.body is not None or each.body_type != "application/json":
        shown["requestBody"] = {"required": True, "content": {each.body_type: _content(each, schemas)}}
    if each.access is not Access.PUBLIC:
        shown["security"] = [{name: []} for name in _SCHEMES.get(each.access, _READERS)]
    limited = {429} if each.limited else set()
    for status in sorted({*each.refusals, *_BY_ACCESS[each.access], *limited}):
        if str(status) not in shown["responses"]:
            model = each.words.model if each.words is not None else Error
            error = {"application/json": {"schema": schemas.ref(model)}}
            shown["responses"][str(status)] = {"description": _REFUSALS[status], "content": error}
    return shown


def _content(each: Operation, schemas: _Schemas) -> dict[str, Any]:
    if each.body is None:
        raw: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
        return raw if each.body_example is None else {**raw, "example": each.body_example}
    content: dict[str, Any] = {"schema": schemas.ref(each.body, "validation")}
    if each.body_example is not None:
        content["example"] = each.body_example
    if each.body_examples:
        content["examples"] = {name: {"value": value} for name, value in each.body_examples.items()}
    return content


def _reply(reply: Reply, schemas: _Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": reply.description}
    if reply.content_type:
        schema = schemas.ref(reply.model) if reply.model is not None else {}
        shown["content"] = {reply.content_type: {"schema": schema}}
        if reply.example is not None:
            shown["content"][reply.content_type]["example"] = reply.example
    return shown


def _path_parameters(each: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": meaning, "schema": {"type": "string"}}
        for name, meaning in each.parameters.items()
    ]


def _query_parameters(each: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    if each.query is None:
        return []
    name = schemas.ref(each.query, "validation")["$ref"].rsplit("/", 1)[1]
    schema = schemas.definitions[name]
    shown = []
    for parameter, rules in schema.get("properties", {}).items():
        rules = dict(rules)
        description = rules.pop("description", "")
        if rules.get("type") == "object":
            parameter, rules = f"{parameter}.KEY", rules.get("additionalProperties", {"type": "string"})
        choices = [one for one in rules.get("anyOf", []) if one.get("type") != "null"]
        if len(choices) == 1:
            rules = choices[0]
        default = rules.pop("default", None)
        rules = {name: value for name, value in rules.items() if name != "title"}
        if default not in (None, {}):
            rules["default"] = default
        shown.append(
            {
                "name": parameter,
                "in": "query",
                "required": parameter in schema.get("required", []),
                "description": description,
                "schema": rules,
            }
        )
    return shown


def shown_path(each: Operation) -> str:
    """The path as OpenAPI writes it: `{file:path}` is `{file}`."""
    return each.path.replace(":path}", "}")


def operation_id(each: Operation) -> str:
    """`GET /api/v1/replays/{session_id}` -> `get_api_v1_replays_session_id`."""
    words = shown_path(each).replace("{", "").replace("}", "").replace("-", "_").replace(".", "_")
    return f"{each.method.lower()}_{'_'.join(part for part in words.split('/') if part) or 'index'}"


def page_of(operations: tuple[Operation, ...], title: str) -> str:
    """The operations by tag as HTML."""
    body = [f"<h1>{escape(title)}</h1><p>The same as <a href=/openapi.json>OpenAPI 3.1</a>.</p>"]
    for tag, rows in groupby(operations, key=lambda each: each.tag):
        body.append(f"<h2>{escape(tag)}</h2>")
        body += [_row(each) for each in rows]
    head = (
        f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(title)}</title>"
    )
    return f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"


def _row(each: Operation) -> str:
    parts = [
        f"<details><summary><span class=m>{each.method}</span> <code>{escape(shown_path(each))}</code> "
        f"{escape(each.summary)}</summary><p>Needs {escape(each.access.value)}.</p>"
    ]
    if each.parameters or each.query is not None:
        names = dict(each.parameters)
        for name, rules in each.query.model_fields.items() if each.query is not None else ():
            names[name] = rules.description or ""
        rows = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(meaning)}</td></tr>"
            for name, meaning in names.items()
        )
        parts.append(f"<table>{rows}</table>")
    examples = [each.body_example] if each.body_example is not None else [*each.body_examples.values()]
    parts += [f"<p>Body, for example</p>{_example(example)}" for example in examples]
    for reply in each.replies:
        parts.append(f"<p>{reply.status}: {escape(reply.description)}</p>")
        if reply.example is not None:
            parts.append(_example(reply.example))
    return "".join(parts) + "</details>"


def _example(value: Any) -> str:
    """A text as it is: the body of a route that reads raw bytes."""
    shown = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return f"<pre>{escape(shown)}</pre>"
