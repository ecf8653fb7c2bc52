"""Compiles a reader for one class and one order of its fields.

A reader is generated source: one-byte uints and short strings are read inline, everything rare goes to
functions: long uints to `wire.py`, bad UTF-8 and strings over the limit to `_read_slowly`.
Source of the rules: spec/openreplay-mobile.md 3.1, 3.4, 3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from messages.schema import Column, Message
from messages.wire import clean_text, more_uint, read_uint
from playhead.errors import Malformed

Reader = Callable[[bytes, int], Message]  # body, bytes of a string -> message; raises Malformed
Checker = Callable[[bytes], object]  # body; raises Malformed where a Reader would

# What a Status of four bytes may say to be believed while other forms are still open.
STATUS_MIN, STATUS_MAX = -(2**15), 2**16 - 1

_READ = {
    "uint": """
        {var} = body[at]; at += 1
        if {var} > 127: {var}, at = more_uint(body, at, {var})""",
    "boolean": """
        {var} = body[at] == 1; at += 1""",
    "int32": """
        {var} = from_bytes(body[at:at + 4], "big", signed=True); at += 4""",
    "string": """
        n = body[at]; at += 1
        if n > 127: n, at = more_uint(body, at, n)
        end = at + n
        {var} = body[at:end].decode()
        if nul: {var} = {var}.replace("\\0", "")
        at = end""",
}

_BELIEVED = f"""
        if not {STATUS_MIN} <= {{var}} <= {STATUS_MAX}: raise Malformed("{{name}}: another form")"""

_PASS = _READ | {
    "string": """
        n = body[at]; at += 1
        if n > 127: n, at = more_uint(body, at, n)
        at += n""",
}

_CHECKER = """
def check(body):
    try:
        at = 0{passes}
        if at > len(body): raise Malformed("{name}: body is not whole")
    except IndexError:
        raise Malformed("{name}: body is not whole") from None
"""

# A string beyond the end is sliced short; the byte after it, or `at` at the end, then gives it away.
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


def compile_reader(cls: type[Message], columns: tuple[Column, ...], *, exact: bool) -> Reader:
    """A reader of `columns` in this order; `exact` refuses surplus bytes and unlikely numbers."""
    reads = "".join(
        (_READ[column.kind] + (_BELIEVED if exact and column.kind == "int32" else "")).format(
            var=f"v{place}", name=cls.NAME
        )
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


def compile_checker(cls: type[Message], columns: tuple[Column, ...]) -> Checker:
    """Refuses what the (not exact) reader of `columns` refuses, and makes nothing: for messages that only count."""
    passes = "".join(_PASS[column.kind].format(var="_") for column in columns)
    names: dict[str, Any] = {"Malformed": Malformed, "more_uint": more_uint, "from_bytes": int.from_bytes}
    exec(compile(_CHECKER.format(passes=passes, name=cls.NAME), f"<checker of {cls.NAME}>", "exec"), names)
    checker: Checker = names["check"]
    return checker


def _read_slowly(
    cls: type[Message], columns: tuple[Column, ...], exact: bool, body: bytes, limit: int
) -> Message:
    """What the compiled reader does, for bodies with bad UTF-8 or long strings."""
    values: dict[str, Any] = {"cut": False}
    at = 0
    try:
        for column in columns:
            value: int | str
            if column.kind == "string":
                size, at = read_uint(body, at)
                if size > len(body) - at:
                    raise Malformed(f"{cls.NAME}: {column.name} is not whole")
                value, cut = clean_text(body, at, at + size, limit)
                values["cut"] |= cut
                at += size
            elif column.kind == "uint":
                value, at = read_uint(body, at)
            elif column.kind == "boolean":
                value, at = body[at] == 1, at + 1
            else:
                value, at = int.from_bytes(body[at : at + 4], "big", signed=True), at + 4
                if exact and not STATUS_MIN <= value <= STATUS_MAX:
                    raise Malformed(f"{cls.NAME}: another form")
            values[column.attribute] = value
    except IndexError:
        raise Malformed(f"{cls.NAME}: body is not whole") from None
    if at > len(body) or (exact and at != len(body)):
        raise Malformed(f"{cls.NAME}: another form")
    return cls(**values)
