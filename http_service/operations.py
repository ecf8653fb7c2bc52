"""An operation is one method on one path: who may call it, what it takes, what it answers. The table of them
drives routing, checking and the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import unquote

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from http_service.answers import Words
from http_service.auth import Access, Caller, authenticate, confine, require
from http_service.cors import Cors, preflight
from http_service.middleware import ENCODED_PATH, ERROR_HEADERS, ERROR_WORDS, PREFIXES
from http_service.scoping import seen_project
from playhead.errors import (
    Detail,
    InvalidBody,
    MethodNotAllowed,
    NotFound,
    UnsupportedMedia,
    ValidationFailed,
)

if TYPE_CHECKING:
    from http_service.context import Context
    from playhead.wiring import Services
    from projects import Project

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Model = TypeVar("Model", bound=BaseModel)
Handler = Callable[["Call"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One possible answer; a model for JSON, else a content type."""

    status: int
    description: str
    model: type[BaseModel] | None = None
    content_type: str = "application/json"
    example: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table. `handle` is None where hot.py answers before routing.

    `ingest`: answers under `/ingest` too, with CORS; `prefixed`: under `/ingest` too, that is all; `no_project`: also
    under `/p/{project_key}`. `own_headers`: request headers of the protocol, which browsers ask about. `any_method`:
    whatever method comes, this answers (but a browser's preflight is one); `large`: its body is bounded as a batch is;
    `limited`: senders may only ask so often; `words`: how errors are told, if not in the one shape; `shared`: also
    for who has a link to the replay that the path names.
    """

    method: Method
    path: str
    summary: str
    tag: str
    access: Access
    replies: tuple[Reply, ...]
    handle: Handler | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_type: str = "application/json"
    body_example: Any = None  # a text where the body is read raw
    body_examples: Mapping[str, Any] = field(
        default_factory=dict
    )  # where there are several kinds: name -> body
    description: str = ""
    ingest: bool = False
    prefixed: bool = False
    no_project: bool = False
    own_headers: tuple[str, ...] = ()
    any_method: bool = False
    large: bool = False
    limited: bool = False
    shared: bool = False
    words: Words | None = None
    refusals: tuple[int, ...] = ()  # statuses in the one error shape, beyond those that `access` brings
    parameters: Mapping[str, str] = field(default_factory=dict)  # path parameter -> meaning


class Call:
    """One request on its way through a handler."""

    __slots__ = ("caller", "context", "request")

    def __init__(self, request: Request, context: Context, caller: Caller) -> None:
        self.request, self.context, self.caller = request, context, caller

    @property
    def services(self) -> Services:
        """What the process works with."""
        return self.context.services

    def path(self, name: str) -> str:
        """A path parameter, decoded. Raises NotFound for what no name can hold."""
        value: str = self.request.path_params[name]
        if self.request.scope.get(ENCODED_PATH):
            value = unquote(value)
        if "\0" in value:
            raise NotFound()
        return value

    @property
    def project_key(self) -> str:
        """The key that stood before the path (`/p/{project_key}`); empty if none did."""
        prefixes: dict[str, str] = self.request.scope.get(PREFIXES, {})
        return prefixes.get("project_key", "")

    def header(self, name: str) -> str:
        """A header's first value, empty if absent."""
        return self.request.headers.get(name, "")

    async def sender_project(self) -> Project:
        """The active project of a request that names none: `/p/{project_key}`, else the default. Raises NotFound."""
        key = self.project_key or self.services.settings.default_project
        if not key:
            raise NotFound("no project: use /p/{project_key} or set PLAYHEAD_DEFAULT_PROJECT")
        project = await self.services.projects.by_key(key)
        self.context.rates.project(project.project_id)
        return project

    async def project(self) -> Project:
        """The project that the path names by `{key}`. Raises NotFound, also for one that the caller does not see."""
        return await seen_project(self.services.projects, self.caller, self.path("key"))

    async def body(self) -> bytes:
        """The whole body, bounded. Raises TooLarge, Overloaded."""
        return await self.request.body()

    async def json(self, model: type[Model]) -> Model:
        """The body as `model`. Raises InvalidBody (not JSON, not an object), ValidationFailed with all problems."""
        kind = self.header("content-type").partition(";")[0].strip().lower()
        if kind and kind != "application/json":
            raise UnsupportedMedia("Content-Type must be application/json")
        body = await self.body()
        try:
            parsed = model.model_validate_json(body, strict=True)
        except ValidationError as problem:
            errors = problem.errors(include_url=False, include_context=False, include_input=False)
            if errors[0]["type"] == "json_invalid":
                raise InvalidBody("the body is not JSON", code="invalid_json") from None
            if errors[0]["type"] in {"model_type", "model_attributes_type"} and not errors[0]["loc"]:
                raise InvalidBody("the body is not a JSON object") from None
            raise ValidationFailed(details=details_of(errors)) from None
        if b"\\u0000" in body and (faults := list(nul_faults(orjson.loads(body)))):
            raise ValidationFailed(details=faults)
        return parsed

    def query(self, model: type[Model]) -> Model:
        """The query string as `model`. Raises ValidationFailed: unknown, repeated or bad parameters."""
        values: dict[str, Any] = {}
        faults: list[Detail] = []
        many = {name for name, each in model.model_fields.items() if _is_map(each.annotation)}
        for name, value in self.request.query_params.multi_items():
            if "\0" in name + value:
                faults.append(Detail(name.replace("\0", ""), "invalid_value", "holds a NUL character"))
                continue
            prefix, dot, key = name.partition(".")
            if dot and prefix in many and key:
                values.setdefault(prefix, {})[key] = value
            elif name in values:
                faults.append(Detail(name, "invalid_value", "given more than once"))
            elif name in many:
                faults.append(Detail(name, "unexpected_field", f"use {name}.KEY=VALUE"))
            else:
                values[name] = value
        try:
            parsed = model.model_validate(values)
        except ValidationError as problem:
            errors = problem.errors(include_url=False, include_context=False, include_input=False)
            faults += [
                Detail(d.field, "invalid_value" if d.code == "invalid_type" else d.code, d.message)
                for d in details_of(errors)
            ]
        if faults:
            raise ValidationFailed("a parameter breaks a rule", details=faults)
        return parsed


def json_answer(value: BaseModel | dict[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    body = value.model_dump_json().encode() if isinstance(value, BaseModel) else orjson.dumps(value)
    return Response(body, status, media_type="application/json")


class PathApp:
    """All operations of one path, as ASGI."""

    def __init__(self, operations: Sequence[Operation], context: Context) -> None:
        self._by_method: dict[str, Operation] = {each.method: each for each in operations}
        self._otherwise = next((each for each in self._by_method.values() if each.any_method), None)
        self._context = context
        self._cors = Cors(context.services.settings.cors_origins)
        self._preflight = preflight(*(name for each in operations for name in each.own_headers))
        implied = {"OPTIONS", "HEAD"} if "GET" in self._by_method else {"OPTIONS"}
        self._allow = ", ".join(sorted({*self._by_method, *implied}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._by_method.get(method, self._otherwise)
        any_operation = operation or next(iter(self._by_method.values()))
        self._check_prefixes(any_operation, scope)
        if any_operation.ingest:
            origin = dict(scope["headers"]).get(b"origin")
            scope[ERROR_HEADERS] = cors = self._cors.headers(origin)
        else:
            cors = ()
        if scope["method"] == "OPTIONS" and (self._otherwise is None or _is_preflight(scope)):
            headers = [*self._preflight, *cors] if any_operation.ingest else [(b"content-length", b"0")]
            headers.append((b"allow", self._allow.encode()))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body"})
            return
        if operation is None or operation.handle is None:
            scope[ERROR_HEADERS] = (*cors, (b"allow", self._allow.encode()))
            raise MethodNotAllowed(f"this route takes {self._allow}")
        scope[ERROR_WORDS] = operation.words
        request = Request(scope, receive)
        if operation.limited:
            self._context.rates.sender(self._context.client_address(request))
        caller = await authenticate(request, operation.access, self._context, cookies=not operation.ingest)
        if operation.limited and caller.project_id is not None:
            self._context.rates.project(caller.project_id)
        confine(caller, shared=operation.shared, session_id=request.path_params.get("session_id"))
        call = Call(request, self._context, caller)
        if "key" in request.path_params and operation.access is not Access.PUBLIC:
            await call.project()  # what is not the caller's is not there, before it is forbidden
        require(caller, operation.access)
        response = await operation.handle(call)
        response.raw_headers.extend(cors)
        await response(scope, receive, send)

    def _check_prefixes(self, operation: Operation, scope: Scope) -> None:
        """Raises NotFound where a prefix does not belong."""
        prefixes = scope.get(PREFIXES) or {}
        if ("ingest" in prefixes and not (operation.ingest or operation.prefixed)) or (
            "project_key" in prefixes and not operation.no_project
        ):
            raise NotFound("no such route")


class Routes:
    """Router of these routes; those without parameters are found at once."""

    def __init__(self, routes: list[Route], otherwise: ASGIApp) -> None:
        self._fixed = {each.path: each for each in routes if not each.param_convertors}
        self._others = Router(
            [each for each in routes if each.param_convertors], redirect_slashes=False, default=otherwise
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._fixed.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self._others(scope, receive, send)
        else:
            scope["route"], scope["path_params"] = route, {}
            await route.app(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


def routes_of(operations: Iterable[Operation], context: Context) -> list[Route]:
    """The table as routes, one per path, in the table's order."""
    by_path: dict[str, list[Operation]] = {}
    for each in operations:
        if each.handle is not None:
            by_path.setdefault(each.path, []).append(each)
    return [Route(path, endpoint=PathApp(each, context)) for path, each in by_path.items()]


def details_of(errors: Iterable[Any]) -> list[Detail]:
    """pydantic's problems as ours."""
    return [
        Detail(
            field=".".join(str(part)[:100].replace("\0", "") for part in each["loc"] if part != "[key]"),
            code=_code(each["type"]),
            message=each["msg"].removeprefix("Value error, "),
        )
        for each in errors
    ]


def nul_faults(value: object, place: str = "") -> Iterator[Detail]:
    """Every text in a JSON value that holds a NUL, which Postgres cannot keep."""
    if isinstance(value, str):
        if "\0" in value:
            yield Detail(place, "invalid_value", "holds a NUL character")
    elif isinstance(value, dict):
        for name, item in value.items():
            inner = f"{place}.{name}".strip(".").replace("\0", "")
            yield from nul_faults(name, inner)
            yield from nul_faults(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nul_faults(item, f"{place}.{index}".strip("."))


def _code(kind: str) -> str:
    known: Final = {"missing": "missing_field", "extra_forbidden": "unexpected_field"}
    if kind in known:
        return known[kind]
    return "invalid_type" if kind.endswith(("_type", "_parsing")) else "invalid_value"


def _is_map(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is dict
