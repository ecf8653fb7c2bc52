"""Is it an event? Every problem of one, told at once. Pure. Source: spec/event-service.md 3, 4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from events.exact_json import HugeInteger
from events.held_schemas import Checkers
from events.incoming import MAX_DEPTH, IncomingEvent, clean_text
from events.times import parse_time
from playhead.errors import Detail

MAX_CHARS: Final = 128
MAX_PROBLEMS: Final = 1_000
SOURCE: Final = "json"
_TEXTS: Final = ("session_id", "category", "name")
_MEMBERS: Final = frozenset({*_TEXTS, "data", "timestamp", "id"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a project asks of its events; `latest_us`: later ones lie in the future."""

    checkers: Checkers
    strict: bool
    latest_us: int


def judge(value: Any, rules: Rules) -> IncomingEvent | list[Detail]:
    """The event, without an id if none was sent, or all that is wrong with it."""
    if not isinstance(value, dict):
        return [Detail("", "invalid_type", "an event is an object")]
    problems = [*_texts(value), *_time(value, rules.latest_us), *_data(value, rules)]
    problems += [
        Detail(clean_text(name)[:200], "unexpected_field", "is not a member of events")
        for name in value
        if name not in _MEMBERS
    ]
    if problems:
        return problems[:MAX_PROBLEMS]
    at_us = parse_time(value["timestamp"])
    return IncomingEvent(
        source=SOURCE,
        category=value["category"],
        name=value["name"],
        at_us=at_us,
        device_us=at_us,
        session_id=value["session_id"],
        event_id=value.get("id", ""),
        data=value["data"],
    )


def _texts(value: dict[str, Any]) -> Iterator[Detail]:
    for name in (*_TEXTS, "id"):
        if name in value:
            problem = _text_problem(value[name])
            if problem is not None:
                yield Detail(name, *problem)
        elif name != "id":
            yield Detail(name, "missing_field", "is needed")


def _text_problem(text: Any) -> tuple[str, str] | None:
    if not isinstance(text, str):
        return "invalid_type", "must be text"
    if not text.strip():
        return "invalid_value", "is empty"
    if len(text) > MAX_CHARS:
        return "invalid_value", f"is longer than {MAX_CHARS} characters"
    if "\0" in text:
        return "invalid_value", "holds a NUL character"
    return None


def _time(value: dict[str, Any], latest_us: int) -> Iterator[Detail]:
    if "timestamp" not in value:
        yield Detail("timestamp", "missing_field", "is needed")
        return
    text = value["timestamp"]
    try:
        at_us = parse_time(text) if isinstance(text, str) else None
    except ValueError as problem:
        yield Detail("timestamp", "invalid_timestamp", f"no such time: {problem}")
        return
    if at_us is None:
        yield Detail("timestamp", "invalid_timestamp", "must be text")
    elif at_us > latest_us:
        yield Detail("timestamp", "future_timestamp", "lies in the future")


def _data(value: dict[str, Any], rules: Rules) -> Iterator[Detail]:
    category = value.get("category")
    named = isinstance(category, str) and _text_problem(category) is None
    checker = rules.checkers.of(category) if named and isinstance(category, str) else None
    if named and checker is None and rules.strict:
        yield Detail("category", "unknown_category", "has no schema, and this project is strict")
    if "data" not in value:
        yield Detail("data", "missing_field", "is needed")
        return
    data = value["data"]
    if not isinstance(data, dict):
        yield Detail("data", "invalid_type", "must be an object")
        return
    unfit = list(_unfit(data, "data", 0))
    yield from unfit
    if checker is not None and not unfit:
        yield from checker.problems(data)


def _unfit(value: Any, field: str, depth: int) -> Iterator[Detail]:
    """What cannot be kept: NUL characters, whole numbers beyond 64 bits, nesting without end."""
    if isinstance(value, str):
        if "\0" in value:
            yield Detail(clean_text(field)[:300], "invalid_value", "holds a NUL character")
    elif isinstance(value, HugeInteger):
        yield Detail(clean_text(field)[:300], "invalid_value", "is a whole number beyond 64 bits")
    elif isinstance(value, (dict, list)):
        if depth >= MAX_DEPTH:
            yield Detail(clean_text(field)[:300], "invalid_value", f"is nested deeper than {MAX_DEPTH}")
            return
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(each, (str, dict, list, HugeInteger)) or (isinstance(name, str) and "\0" in name):
                inner = f"{field}.{name}"
                if isinstance(name, str):
                    yield from _unfit(name, inner, depth)
                yield from _unfit(each, inner, depth + 1)
