"""Is it an event? Every problem of one, told at once. Pure. Source: spec/event-service.md 3, 4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from events.exact_json import HugeInteger
from events.held_schemas import Checkers
from events.incoming import MAX_DEPTH, IncomingEvent, clean_text, storable_json
from events.times import parse_time
from playhead.errors import Detail

MAX_CHARS: Final = 128
MAX_PROBLEMS: Final = 1_000
MAX_FIELD_CHARS: Final = 300
SOURCE: Final = "json"
_TEXTS: Final = ("session_id", "category", "name")
_ALL_TEXTS: Final = (*_TEXTS, "id")
_MEMBERS: Final = frozenset({*_ALL_TEXTS, "data", "timestamp"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a project asks of its events; `latest_us`: later ones lie in the future."""

    checkers: Checkers
    strict: bool
    latest_us: int


def judge(value: Any, rules: Rules, *, most: int = MAX_PROBLEMS) -> IncomingEvent | list[Detail]:
    """The event, without an id if none was sent, or all (at most `most`) that is wrong with it."""
    if not isinstance(value, dict):
        return [Detail("", "invalid_type", "an event is an object")]
    event = _plain_event(value, rules)
    if event is not None:
        return event
    problems = list(islice(_problems(value, rules, most), most))
    return problems or _event(value, parse_time(value["timestamp"]))


def _plain_event(value: dict[str, Any], rules: Rules) -> IncomingEvent | None:
    """The event if nothing about it needs a closer look, which is the usual case; asks no more than that."""
    timestamp, data, category = value.get("timestamp"), value.get("data"), value.get("category")
    if not isinstance(timestamp, str) or not isinstance(data, dict) or not value.keys() <= _MEMBERS:
        return None
    for name in _TEXTS if "id" not in value else _ALL_TEXTS:
        text = value.get(name)
        if not isinstance(text, str) or not 0 < len(text) <= MAX_CHARS or text.isspace() or "\0" in text:
            return None
    try:
        at_us = parse_time(timestamp)
    except ValueError:
        return None
    data_json = storable_json(data)
    if at_us > rules.latest_us or data_json is None:
        return None
    checker = rules.checkers.of(str(category))
    if rules.strict if checker is None else checker.problems(data, 1):
        return None
    return _event(value, at_us, data_json)


def _event(value: dict[str, Any], at_us: int, data_json: bytes = b"") -> IncomingEvent:
    return IncomingEvent(
        source=SOURCE,
        category=value["category"],
        name=value["name"],
        at_us=at_us,
        device_us=at_us,
        session_id=value["session_id"],
        event_id=value.get("id", ""),
        data=value["data"],
        data_json=data_json,
    )


def _problems(value: dict[str, Any], rules: Rules, most: int) -> Iterator[Detail]:
    yield from _texts(value)
    yield from _time(value, rules.latest_us)
    yield from _data(value, rules, most)
    for name in value:
        if name not in _MEMBERS:
            yield Detail(clean_text(name[:200]), "unexpected_field", "is not a member of events")


def _texts(value: dict[str, Any]) -> Iterator[Detail]:
    for name in _ALL_TEXTS:
        if name in value:
            problem = _text_problem(value[name])
            if problem is not None:
                yield Detail(name, *problem)
        elif name != "id":
            yield Detail(name, "missing_field", "is needed")


def _text_problem(text: Any) -> tuple[str, str] | None:
    if not isinstance(text, str):
        return "invalid_type", "must be text"
    if not text or text.isspace():
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


def _data(value: dict[str, Any], rules: Rules, most: int) -> Iterator[Detail]:
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
    unfit = list(islice(_unfit(data, ("data",)), most))
    yield from unfit
    if checker is not None and not unfit:
        yield from checker.problems(data, most)


def _unfit(value: dict[str, Any] | list[Any], path: tuple[str | int, ...]) -> Iterator[Detail]:
    """What cannot be kept: NUL characters, whole numbers beyond 64 bits, nesting without end."""
    if len(path) > MAX_DEPTH:
        yield _invalid(path, f"is nested deeper than {MAX_DEPTH}")
        return
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        for text in (name, each):
            if isinstance(text, str) and "\0" in text:
                yield _invalid((*path, name), "holds a NUL character")
        if isinstance(each, HugeInteger):
            yield _invalid((*path, name), "is a whole number beyond 64 bits")
        elif isinstance(each, (dict, list)):
            yield from _unfit(each, (*path, name))


def _invalid(path: tuple[str | int, ...], message: str) -> Detail:
    field = ".".join(str(part)[:MAX_FIELD_CHARS] for part in path)
    return Detail(clean_text(field[:MAX_FIELD_CHARS]), "invalid_value", message)
