"""JSON bodies as senders write them, exactly: no NaN, no byte order mark, nothing behind the value."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from playhead.errors import InvalidBody


def read_json(body: bytes) -> Any:
    """The value of a JSON body; broken UTF-8 in texts becomes U+FFFD. Raises InvalidBody (`invalid_json`)."""
    try:
        return _DECODER.decode(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise InvalidBody("the body is not JSON", code="invalid_json") from None


def first_item(text: str) -> str:
    """The JSON text of the first item of an array, as it stands there; empty if there is none. Raises InvalidBody."""
    start = text.find("[") + 1
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    if text[start : start + 1] == "]":
        return ""
    try:
        return text[start : _DECODER.raw_decode(text, start)[1]]
    except (ValueError, RecursionError):
        raise InvalidBody("the body is not JSON", code="invalid_json") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
