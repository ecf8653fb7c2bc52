"""JSON of events, with whole numbers that 64 bits do not hold told apart instead of rounded."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from events.incoming import storable
from playhead.errors import InvalidBody

_INTEGERS: Final = range(-(2**63), 2**64)
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG: Final = b"0" * len(str(2**63))


class HugeInteger:
    """A whole number beyond 64 bits, by its digits as sent. No dataclass: orjson would write it."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        self.digits = digits

    def __str__(self) -> str:
        return self.digits


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises InvalidBody (`invalid_json`)."""
    try:
        value = orjson.loads(body)
        if _LONG in body.translate(_DIGITS):  # perhaps a number that orjson has rounded
            value = json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError) as problem:
        raise InvalidBody(f"the body is not JSON: {problem}"[:200], code="invalid_json") from None
    return value


def told(value: Any) -> bytes:
    """The value as JSON; huge integers as the text of their digits, what is nested too deep to be written as null."""
    try:
        return orjson.dumps(value, default=_digits)
    except TypeError:
        return orjson.dumps(storable(value))


def _integer(digits: str) -> int | HugeInteger:
    if len(digits) > len(str(2**64)) + 1 or (number := int(digits)) not in _INTEGERS:
        return HugeInteger(digits)
    return number


def _digits(value: Any) -> str:
    if isinstance(value, HugeInteger):
        return value.digits
    raise TypeError
