"""Category schemas as validators: compiled once, bounded in patterns and work, every problem told.

Source: spec/event-service.md 4 (`schema_violation`), 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import orjson

from events.schema_cost import Cost, TooCostly, cost_of
from playhead.errors import Detail, TooLarge, Unprocessable

if TYPE_CHECKING:
    import jsonschema_rs  # by name in annotations; loaded with the first schema

MAX_SCHEMA_BYTES: Final = 262_144
#: of checking one event (events/schema_cost.py)
MAX_WORK: Final = 50_000_000
#: all problems are found before the first is told, each with its whole path: if they could be more than so many, or
#: of more characters, an event's first problem is its only one
MAX_FOUND: Final = 5_000
MAX_FOUND_CHARS: Final = 100_000_000
MAX_MESSAGE_CHARS: Final = 300
_BACKTRACK_LIMIT: Final = 1_000
_COMPILED: Final = 1_000
_REGEX_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Checker:
    """A compiled schema and what checking by it costs."""

    validator: jsonschema_rs.Draft202012Validator
    cost: Cost

    def problems(self, data: dict[str, Any], most: int) -> list[Detail]:
        """Everything (at most `most`) that is wrong with an event's `data`; fields are `data` or below."""
        from jsonschema_rs import ValidationError

        values, chars = size_of(data)
        work = values * self.cost.value + chars // 8 * self.cost.text
        if work > MAX_WORK:
            return [Detail("data", "schema_violation", "too large to be checked by this schema")]
        try:
            self.validator.validate(data)
        except ValidationError as first:
            found = values * self.cost.schemas
            all_told = most > 1 and found <= MAX_FOUND and found * chars <= MAX_FOUND_CHARS
            errors = self.validator.iter_errors(data) if all_told else [first]
            return list(islice(chain.from_iterable(map(_details, errors)), most))
        return []


@lru_cache(_COMPILED)
def checker_of(schema: str) -> Checker:
    """The checker of a schema as JSON text. Raises Unprocessable (`invalid_schema`)."""
    import jsonschema_rs

    value = orjson.loads(schema)
    try:
        cost = cost_of(value) if isinstance(value, dict) else Cost(1, 0, 1)
        validator = jsonschema_rs.Draft202012Validator(
            value,
            offline=True,
            mask="the value",
            pattern_options=jsonschema_rs.FancyRegexOptions(
                backtrack_limit=_BACKTRACK_LIMIT, size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES
            ),
        )
    except (TooCostly, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        message = str(getattr(problem, "message", problem)) or "not a JSON Schema of 2020-12"
        raise Unprocessable(message[:MAX_MESSAGE_CHARS], code="invalid_schema") from None
    return Checker(validator, cost)


def parse_schema(body: bytes, value: Any) -> str:
    """A schema as it was sent -> its text to keep. Raises Unprocessable (`invalid_schema`), TooLarge."""
    if len(body) > MAX_SCHEMA_BYTES:
        raise TooLarge(f"a schema holds at most {MAX_SCHEMA_BYTES} bytes")
    if not isinstance(value, (dict, bool)):
        raise Unprocessable("a schema is an object, true or false", code="invalid_schema")
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        raise Unprocessable("nested too deep", code="invalid_schema") from None
    checker_of(text)
    return text


def size_of(value: Any) -> tuple[int, int]:
    """How many values a JSON value holds, and how many characters its texts and names."""
    values, chars, waiting = 0, 0, [value]
    while waiting:
        each = waiting.pop()
        values += 1
        if isinstance(each, dict):
            waiting += each.values()
            chars += sum(map(len, each))
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str):
            chars += len(each)
    return values, chars


def _details(error: jsonschema_rs.ValidationError) -> Iterator[Detail]:
    """One problem; a missing or unexpected member is named itself."""
    field = ".".join(["data", *(str(part) for part in error.instance_path)])
    kind: Any = error.kind
    if kind.name == "required":
        yield _detail(f"{field}.{kind.property}", "is missing")
    elif kind.name in ("additionalProperties", "unevaluatedProperties"):
        for name in kind.unexpected:
            yield _detail(f"{field}.{name}", "is unexpected")
    else:
        yield _detail(field, error.message)


def _detail(field: str, message: str) -> Detail:
    return Detail(field[:MAX_MESSAGE_CHARS], "schema_violation", message[:MAX_MESSAGE_CHARS])
