"""Bodies to messages and back: which forms a type has, which of them a body is.

Source: spec/openreplay-mobile.md 3.2, 3.4 to 3.6. The readers themselves are compiled in `readers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from messages.readers import Checker, Reader, compile_checker, compile_reader
from messages.schema import SERVER_TYPES, TABLE, Column, Layout, Message, MobileNetworkCall
from messages.wire import WRITERS, uint
from playhead.errors import Malformed

MAX_STRING_BYTES = 1_048_576  # what Android's SDK sends at most in one string

Form = tuple[type[Message], tuple[Column, ...]]  # a class and its fields in the order of the wire

_TODAY = {row.number: row for row in TABLE if not row.legacy}
_LEGACY = {row.number: row for row in TABLE if row.legacy}
_COLUMNS = {row.cls: row.columns for row in TABLE}


def decode(
    type: int, body: bytes, layout: Layout = Layout.IOS, max_string: int = MAX_STRING_BYTES
) -> Message:
    """The message in a frame's body; surplus bytes are ignored, strings are cleaned and cut at
    `max_string` bytes.

    Raises Malformed for an unknown type and for a body that ends too early.
    """
    reader = READERS[layout].get(type)
    if reader is None:
        raise Malformed(f"unknown mobile type: {type}")
    return reader(body, max_string)


def encode(message: Message, *, timestamp: int, layout: Layout = Layout.IOS) -> bytes:
    """One framed message as the SDK of that layout writes it; ValueError for numbers that do not fit."""
    columns = _COLUMNS[message.__class__]
    if layout is Layout.ANDROID and isinstance(message, MobileNetworkCall):
        columns = _android("int32")
    body = b"".join([WRITERS[column.kind](getattr(message, column.attribute)) for column in columns])
    return frame_bytes(message.TYPE, timestamp, body)


def frame_bytes(type: int, timestamp: int, body: bytes) -> bytes:
    """A raw body in its frame: type, timestamp (ms), length, body; shortest uints (spec 3.2)."""
    return uint(type) + uint(timestamp) + uint(len(body)) + body


def fields(message: Message) -> dict[str, int | str | bool]:
    """The fields under their names on the wire (`FirstIndex`, `URL`), in the schema's order."""
    return _NAMED[message.__class__](message)


def name_of(type: int, layout: Layout = Layout.IOS) -> str | None:
    """The name on the wire; None for a number that no mobile tracker or server uses."""
    row = (_LEGACY.get(type) if layout is Layout.LEGACY else None) or _TODAY.get(type)
    return row.cls.NAME if row else SERVER_TYPES.get(type)


def _android(status: str) -> tuple[Column, ...]:
    """105 as Android writes it: Response before Request, Status a uint (until 1.1.3) or an int32."""
    names = ["type", "method", "url", "response", "request", "status", "duration"]
    by_name = {column.attribute: column for column in _COLUMNS[MobileNetworkCall]}
    by_name["status"] = replace(by_name["status"], kind=status)
    return tuple(by_name[name] for name in names)


def _forms(type: int, layout: Layout) -> list[Form]:
    """The forms that a body of this type may have, in the order of preference."""
    forms: list[Form] = []
    if type == MobileNetworkCall.TYPE:
        # Two varints that consume the rest come first (spec 3.5); an Android SDK swaps the bodies either way.
        varints = _android("uint") if layout is Layout.ANDROID else _COLUMNS[MobileNetworkCall]
        forms = [(MobileNetworkCall, varints), (MobileNetworkCall, _android("int32"))]
    elif type in _TODAY:
        forms = [(_TODAY[type].cls, _TODAY[type].columns)]
    if type in _LEGACY:
        legacy = (_LEGACY[type].cls, _LEGACY[type].columns)
        if layout is Layout.LEGACY:
            return [legacy, *(form for form in forms if form[1] != legacy[1])]
        if forms and forms[0][1] != legacy[1]:
            return [*forms, legacy]
    return forms


def _choose(type: int, layout: Layout) -> Reader:
    """Reads the form that consumes the body exactly, else the first that fits at all."""
    forms = _forms(type, layout)
    if len(forms) == 1:
        return compile_reader(*forms[0], exact=False)
    exact = [compile_reader(*form, exact=True) for form in forms]
    lenient = [compile_reader(*form, exact=False) for form in forms]
    if type == MobileNetworkCall.TYPE and layout is Layout.ANDROID:
        lenient[:2] = lenient[1::-1]  # a body with surplus bytes is of today's SDK rather than of an old one
        return _sooner(exact[1], _first(exact, lenient))
    return _first(exact, lenient)


def _checker(type: int, layout: Layout) -> Checker:
    forms = _forms(type, layout)
    if len(forms) == 1:
        return compile_checker(*forms[0])
    reader = READERS[layout][type]
    return lambda body: reader(body, MAX_STRING_BYTES)


def _first(exact: list[Reader], lenient: list[Reader]) -> Reader:
    def read(body: bytes, limit: int) -> Message:
        for reader in exact:
            try:
                return reader(body, limit)
            except Malformed:
                pass
        fault: Malformed | None = None
        for reader in lenient:
            try:
                return reader(body, limit)
            except Malformed as problem:
                fault = fault or problem
        raise fault or Malformed()

    return read


def _sooner(four_bytes: Reader, otherwise: Reader) -> Reader:
    """Only to be quick: where the four bytes say 0 or more, two varints cannot reach the end of the body."""

    def read(body: bytes, limit: int) -> Message:
        try:
            message = four_bytes(body, limit)
        except Malformed:
            return otherwise(body, limit)
        return message if message.status >= 0 else otherwise(body, limit)  # type: ignore[attr-defined]

    return read


def _named(columns: tuple[Column, ...]) -> Callable[[Any], dict[str, int | str | bool]]:
    pairs = ", ".join(f"{column.name!r}: m.{column.attribute}" for column in columns)
    made: Callable[[Any], dict[str, int | str | bool]] = eval(f"lambda m: {{{pairs}}}")
    return made


_NAMED = {cls: _named(columns) for cls, columns in _COLUMNS.items()}
#: what `decode` calls, by type
READERS: dict[Layout, dict[int, Reader]] = {
    layout: {type: _choose(type, layout) for type in {**_TODAY, **_LEGACY} if _forms(type, layout)}
    for layout in Layout
}
#: refuse what the readers refuse, cheaper
CHECKERS: dict[Layout, dict[int, Checker]] = {
    layout: {type: _checker(type, layout) for type in readers} for layout, readers in READERS.items()
}
