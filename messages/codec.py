"""Readers and writers, one per class and layout, compiled once from the table in `schema.py`.

A reader is generated source: one-byte uints and short strings are read inline, everything rare (long uints,
bad UTF-8, strings over the limit) goes to functions of `wire.py`. Source: spec/openreplay-mobile.md 3.4 to
3.6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from messages.schema import SERVER_TYPES, TABLE, Column, Layout, Message, MobileNetworkCall, Row
from messages.wire import WRITERS, clean_text, more_uint, read_uint, uint
from playhead.errors import Malformed

MAX_STRING_BYTES = 1_048_576  # what Android's SDK sends at most in one string

Reader = Callable[[bytes, int], Message]

_TODAY = {row.number: row for row in TABLE if not row.legacy}
_LEGACY = {row.number: row for row in TABLE if row.legacy}


def decode(
    type: int, body: bytes, layout: Layout = Layout.IOS, max_string: int = MAX_STRING_BYTES
) -> Message:
    """The message in a frame's body; surplus bytes are ignored, strings are cleaned and cut at `max_string`
    bytes.

    Raises Malformed for an unknown type and for a body that ends too early.
    """
    reader = _READERS[layout].get(type)
    if reader is None:
        raise Malformed(f"unknown mobile type: {type}")
    return reader(body, max_string)


def encode(message: Message, *, timestamp: int, layout: Layout = Layout.IOS) -> bytes:
    """One framed message as the SDK of that layout writes it. Raises ValueError for numbers that do not
    fit."""
    body = b"".join(
        [
            WRITERS[column.kind](getattr(message, column.attribute))
            for column in _written(type(message), layout)
        ]
    )
    return frame_bytes(message.TYPE, timestamp, body)


def frame_bytes(type: int, timestamp: int, body: bytes) -> bytes:
    """A raw body in its frame: type, timestamp (ms), length, body; shortest uints (spec 3.2)."""
    return uint(type) + uint(timestamp) + uint(len(body)) + body


def fields(message: Message) -> dict[str, int | str | bool]:
    """The fields under their names on the wire (`FirstIndex`, `URL`), in the wire's order."""
    return _NAMED[message.__class__](message)


def name_of(type: int, layout: Layout = Layout.IOS) -> str | None:
    """The name on the wire; None for a number that no mobile tracker or server uses."""
    row = (_LEGACY.get(type) if layout is Layout.LEGACY else None) or _TODAY.get(type)
    return row.cls.NAME if row else SERVER_TYPES.get(type)


# -- forms of one type, in the order in which they are tried


def _android(columns: Sequence[Column], status: str) -> tuple[Column, ...]:
    """105 as Android writes it: Response before Request, Status a uint (until 1.1.3) or four bytes."""
    names = ["type", "method", "url", "response", "request", "status", "duration"]
    by_name = {column.attribute: column for column in columns}
    by_name["status"] = replace(by_name["status"], kind=status)
    return tuple(by_name[name] for name in names)


def _written(cls: type[Message], layout: Layout) -> tuple[Column, ...]:
    if cls is MobileNetworkCall and layout is Layout.ANDROID:
        return _android(_COLUMNS[cls], "int32")
    return _COLUMNS[cls]


def _forms(type: int, layout: Layout) -> list[tuple[Row, tuple[Column, ...]]]:
    today, legacy = _TODAY.get(type), _LEGACY.get(type)
    forms: list[tuple[Row, tuple[Column, ...]]] = []
    if today is not None:
        forms.append((today, today.columns))
        if today.cls is MobileNetworkCall:
            # Two varints that consume the rest come first (3.5); Android swaps the bodies either way.
            first = _android(today.columns, "uint") if layout is Layout.ANDROID else today.columns
            forms = [(today, first), (today, _android(today.columns, "int32"))]
    if legacy is not None and layout is Layout.LEGACY:
        return [(legacy, legacy.columns), *(form for form in forms if form[1] != legacy.columns)]
    if legacy is not None and today is not None and legacy.columns != today.columns:
        forms.append((legacy, legacy.columns))
    return forms


# -- compiling

_READ = {
    "uint": """
        {var} = body[at]; at += 1
        if {var} > 127: {var}, at = more_uint(body, at, {var})""",
    "boolean": """
        {var} = body[at] == 1; at += 1""",
    "int32": """
        if at + 4 > size: raise Malformed("{name}: {field} is not whole")
        {var} = from_bytes(body[at:at + 4], "big", signed=True); at += 4""",
    "string": """
        n = body[at]; at += 1
        if n > 127: n, at = more_uint(body, at, n)
        end = at + n
        {var} = body[at:end].decode()
        if nul: {var} = {var}.replace("\\0", "")
        at = end""",
}

_READER = """
def read(body, limit):
    try:
        size = len(body)
        if size > limit: return slowly(body, limit)
        at = 0{nul}{reads}
        if at {wrong} size: raise Malformed("{name}: {problem}")
        message = new(cls)
        {stores}; message.cut = False
        return message
    except IndexError:
        raise Malformed("{name}: body is not whole") from None
    except UnicodeDecodeError:
        return slowly(body, limit)
"""


def _compile(cls: type[Message], columns: tuple[Column, ...], exact: bool) -> Reader:
    """A reader of `columns` in this order; `exact` refuses surplus bytes."""
    reads = "".join(
        _READ[column.kind].format(var=f"v{place}", name=cls.NAME, field=column.name)
        for place, column in enumerate(columns)
    )
    source = _READER.format(
        nul="\n        nul = 0 in body" if any(column.kind == "string" for column in columns) else "",
        reads=reads,
        wrong="!=" if exact else ">",
        name=cls.NAME,
        problem="another form" if exact else "body is not whole",
        stores="; ".join(f"message.{column.attribute} = v{place}" for place, column in enumerate(columns)),
    )
    names: dict[str, Any] = {
        "cls": cls,
        "new": object.__new__,  # a third cheaper than the dataclass's __init__
        "Malformed": Malformed,
        "more_uint": more_uint,
        "from_bytes": int.from_bytes,
        "slowly": lambda body, limit: _read_slowly(cls, columns, exact, body, limit),
    }
    exec(compile(source, f"<reader of {cls.NAME}>", "exec"), names)
    reader: Reader = names["read"]
    return reader


def _read_slowly(
    cls: type[Message], columns: tuple[Column, ...], exact: bool, body: bytes, limit: int
) -> Message:
    """What the compiled reader does, for bodies with bad UTF-8 or long strings."""
    values: dict[str, Any] = {"cut": False}
    at = 0
    try:
        for column in columns:
            if column.kind == "string":
                size, at = read_uint(body, at)
                if size > len(body) - at:
                    raise Malformed(f"{cls.NAME}: {column.name} is not whole")
                values[column.attribute], cut = clean_text(body[at : at + size], limit)
                values["cut"] |= cut
                at += size
            elif column.kind == "uint":
                values[column.attribute], at = read_uint(body, at)
            elif column.kind == "boolean":
                values[column.attribute] = body[at] == 1
                at += 1
            else:
                values[column.attribute] = int.from_bytes(body[at : at + 4], "big", signed=True)
                at += 4
    except IndexError:
        raise Malformed(f"{cls.NAME}: body is not whole") from None
    if at > len(body) or (exact and at != len(body)):
        raise Malformed(f"{cls.NAME}: another form")
    return cls(**values)


def _choose(type: int, layout: Layout) -> Reader:
    """The reader of a type: of several forms the one that consumes the body exactly, else the first that
    fits."""
    forms = _forms(type, layout)
    if len(forms) == 1:
        return _compile(forms[0][0].cls, forms[0][1], exact=False)
    readers = [_compile(row.cls, columns, exact=True) for row, columns in forms]
    readers += [_compile(row.cls, columns, exact=False) for row, columns in forms]
    four_bytes = readers[1] if type == MobileNetworkCall.TYPE and layout is Layout.ANDROID else None

    def read(body: bytes, limit: int) -> Message:
        if four_bytes is not None:
            # Only to be quick: where the four bytes begin so, two varints never reach the end.
            try:
                message = four_bytes(body, limit)
                if 0 <= message.status < 1 << 23:  # type: ignore[attr-defined]
                    return message
            except Malformed:
                pass
        for reader in readers:
            try:
                return reader(body, limit)
            except Malformed as problem:
                last = problem
        raise last

    return read


def _named(row: Row) -> Callable[[Any], dict[str, int | str | bool]]:
    pairs = ", ".join(f"{column.name!r}: m.{column.attribute}" for column in row.columns)
    made: Callable[[Any], dict[str, int | str | bool]] = eval(f"lambda m: {{{pairs}}}")
    return made


_COLUMNS = {row.cls: row.columns for row in TABLE}
_NAMED = {row.cls: _named(row) for row in TABLE}
_READERS: dict[Layout, dict[int, Reader]] = {
    layout: {type: _choose(type, layout) for type in {**_TODAY, **_LEGACY} if _forms(type, layout)}
    for layout in Layout
}
