"""Encoded project ids of the README generation: 53-bit numbers that hide small ids.

Source: spec/openreplay-mobile.md 1.2.
"""

from __future__ import annotations

from typing import Final

from playhead.errors import Unprocessable

_BASE: Final = 1 << 52
_DECODE: Final = 4212451012670231
_ENCODE: Final = 2783377641436327  # its inverse mod 2^52
_MAX_ID: Final = 0xFFFFFFFF


def encode(project_id: int) -> int:
    """1 -> 7286977268806823. Raises ValueError outside 1..2^32-1."""
    if not 0 < project_id <= _MAX_ID:
        raise ValueError(f"no project id: {project_id}")
    return _BASE + (project_id * _ENCODE) % _BASE


def decode(value: int | float | str) -> int:
    """7286977268806823 (number or decimal text) -> 1. Raises Unprocessable when it decodes to nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not _BASE <= value < 2 * _BASE:
        raise Unprocessable("projectID is not an encoded project id")
    project_id = ((value - _BASE) * _DECODE) % _BASE
    if not 0 < project_id <= _MAX_ID:
        raise Unprocessable("projectID is not an encoded project id")
    return project_id
