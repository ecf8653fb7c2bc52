"""Parameters of the event lists, from the query string and a JSON body over it. Source: spec/event-service.md 5.

All problems are told at once. A member that is null was not given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import BaseModel

from events.search import EXACT, EventFilters
from events.times import parse_time
from http_service.operations import Call
from playhead.errors import Detail, InvalidBody, UnsupportedMedia, ValidationFailed
from projects.user_keys import user_key

MAX_CHARS: Final = 1_000
MAX_DATA_FILTERS: Final = 10
MAX_PATH: Final = 16
MAX_LIMIT: Final = 1_000
_DATA: Final = "data."


@dataclass(slots=True)
class Parameters:
    """Values by name, checked; times in µs."""

    texts: dict[str, str] = field(default_factory=dict)
    data: dict[tuple[str, ...], str] = field(default_factory=dict)
    start_us: int | None = None
    end_us: int | None = None
    descending: bool = False
    limit: int = 100

    def filters(self, **exact: str) -> EventFilters:
        """As the search takes them; `exact` over what was given."""
        given = {name: self.texts[name] for name in EXACT if name in self.texts}
        if "user_id" in given:
            given["user_id"] = user_key(given["user_id"])
        return EventFilters(
            exact=given | exact,
            data=self.data,
            start_us=self.start_us,
            end_us=self.end_us,
            descending=self.descending,
            limit=self.limit,
            cursor=self.texts.get("cursor"),
        )


async def read_parameters(call: Call, model: type[BaseModel], *, body_needed: bool = False) -> Parameters:
    """The request's parameters, those that `model` names. Raises InvalidBody, UnsupportedMedia, ValidationFailed."""
    faults: list[Detail] = []
    values: dict[str, Any] = {}
    for name, text in call.request.query_params.multi_items():
        if name in values:
            faults.append(Detail(_shown(name), "invalid_value", "given more than once"))
        values[name] = text
    body = await _body(call, body_needed)
    values |= {name: value for name, value in body.items() if value is not None}
    parameters = Parameters()
    for name, value in values.items():
        faults += _take(parameters, name, value, model)
    start_us, end_us = parameters.start_us, parameters.end_us
    if start_us is not None and end_us is not None and start_us > end_us:
        faults.append(Detail("start", "invalid_range", "lies after end"))
    if faults:
        raise ValidationFailed("a parameter breaks a rule", details=faults)
    return parameters


async def _body(call: Call, needed: bool) -> dict[str, Any]:
    """The JSON object in the body; a GET may have none, whatever its Content-Type."""
    kind = call.header("content-type").partition(";")[0].strip().lower()
    if needed and kind and kind != "application/json":
        raise UnsupportedMedia("Content-Type must be application/json")
    body = await call.body()
    if not body and not needed:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidBody("the body is not JSON", code="invalid_json") from None
    if not isinstance(value, dict):
        raise InvalidBody("the body is not a JSON object")
    return value


def _take(parameters: Parameters, name: str, value: Any, model: type[BaseModel]) -> Iterator[Detail]:
    """Put one parameter in its place, or tell what is wrong with it."""
    shown = _shown(name)
    if name.startswith(_DATA) and "data" in model.model_fields:
        yield from _take_data(parameters, name, value)
    elif name not in model.model_fields or name == "data":
        yield Detail(shown, "unexpected_field", "is not a parameter of this list")
    elif name in ("start", "end"):
        try:
            at_us = parse_time(value) if isinstance(value, str) else None
        except ValueError as problem:
            yield Detail(name, "invalid_timestamp", f"no such time: {problem}")
            return
        if at_us is None:
            yield Detail(name, "invalid_timestamp", "must be text")
        elif name == "start":
            parameters.start_us = at_us
        else:
            parameters.end_us = at_us
    elif name == "order":
        parameters.descending = value == "desc"
        if value not in ("asc", "desc"):
            yield Detail(name, "invalid_value", "asc or desc")
    elif name == "limit":
        limit = _integer(value)
        if limit is None or not 1 <= limit <= MAX_LIMIT:
            yield Detail(name, "invalid_value", f"1 to {MAX_LIMIT}")
        else:
            parameters.limit = limit
    elif not isinstance(value, str):
        yield Detail(name, "invalid_value" if name == "cursor" else "invalid_type", "must be text")
    elif not value or len(value) > MAX_CHARS or "\0" in value:
        yield Detail(name, "invalid_value", f"1 to {MAX_CHARS} characters, no NUL")
    else:
        parameters.texts[name] = value


def _take_data(parameters: Parameters, name: str, value: Any) -> Iterator[Detail]:
    """`data.PATH`: a JSON text, number or truth value, compared with the member's text."""
    if isinstance(value, (dict, list)):
        yield Detail(_shown(name), "invalid_type", "must be text, a number or a truth value")
        return
    path = tuple(name.removeprefix(_DATA).split("."))
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if len(name) + len(text) > MAX_CHARS or "\0" in name + text or not all(path) or len(path) > MAX_PATH:
        yield Detail(
            _shown(name), "invalid_value", f"at most {MAX_PATH} names in a path, {MAX_CHARS} characters"
        )
    elif len(parameters.data) >= MAX_DATA_FILTERS:
        yield Detail(_shown(name), "invalid_value", f"at most {MAX_DATA_FILTERS} members of data")
    else:
        parameters.data[path] = text


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if type(value) is int else None


def _shown(name: str) -> str:
    return name.replace("\0", "")[:200]
