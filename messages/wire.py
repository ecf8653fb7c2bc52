"""Primitives of the wire: uint (LEB128), string, boolean, and Android's four-byte int.

Source: spec/openreplay-mobile.md 3.1, 3.5. The decoders that `codec.py` compiles read one-byte uints inline
and come here for everything longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from playhead.errors import Malformed

MAX_UINT = 2**64 - 1


class Wire(NamedTuple):
    """How a field travels (`uint`, `string`, `boolean`) and what it measures; stands in `Annotated`."""

    kind: str
    unit: str = ""


def more_uint(data: bytes, at: int, first: int) -> tuple[int, int]:
    """The rest of a uint whose first byte (>= 128) was just before `at` -> (value, offset after it).

    Non-minimal forms are taken. Raises IndexError where the data ends, Malformed beyond 64 bits.
    """
    value = first & 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        if byte < 0x80:
            value |= byte << shift
            if shift == 63 and byte > 1:
                raise Malformed("uint overflow")
            return value, at
        if shift == 63:
            raise Malformed("uint overflow")
        value |= (byte & 0x7F) << shift
        shift += 7


def read_uint(data: bytes, at: int) -> tuple[int, int]:
    """The uint at `at` -> (value, offset after it). Raises IndexError, Malformed."""
    first = data[at]
    return (first, at + 1) if first < 0x80 else more_uint(data, at + 1, first)


def clean_text(data: bytes, start: int, end: int, limit: int) -> tuple[str, bool]:
    """`data[start:end]` as text that every store takes: bad UTF-8 -> U+FFFD, no NUL, at most `limit` bytes.

    -> (text, was cut). A cut never leaves half a character behind.
    """
    cut = end - start > limit
    if cut:
        end = start + limit
        for _ in range(3):
            if end > start and data[end] & 0xC0 == 0x80:
                end -= 1
    text = data[start:end].decode("utf-8", "replace")
    return (text.replace("\0", "") if "\0" in text else text), cut


def only_zeros(data: bytes, at: int) -> bool:
    """Whether nothing but zero bytes stands from `at` on; compares in pieces, copies little."""
    for start in range(at, len(data), len(_ZEROS)):
        piece = data[start : start + len(_ZEROS)]
        if piece != _ZEROS[: len(piece)]:
            return False
    return True


def uint(value: int) -> bytes:
    """LEB128 in its shortest form. Raises ValueError outside 0..2^64-1."""
    if 0 <= value < 0x80:
        return _ONE_BYTE[value]
    if 0x80 <= value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if 2**35 <= value < 2**42:  # six bytes: what a time in ms takes from 1971 to 2109
        low, high = value & 0x1FFFFF, value >> 21
        return bytes(
            (
                low & 0x7F | 0x80, low >> 7 & 0x7F | 0x80, low >> 14 | 0x80,
                high & 0x7F | 0x80, high >> 7 & 0x7F | 0x80, high >> 14,
            )
        )  # fmt: skip
    if not 0 <= value <= MAX_UINT:
        raise ValueError(f"{value} is no 64-bit uint")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(value: str) -> bytes:
    """Length in bytes, then UTF-8; lone surrogates become `?`."""
    raw = value.encode("utf-8", "replace")
    return uint(len(raw)) + raw


def boolean(value: bool) -> bytes:
    """One byte, 1 for true."""
    return b"\x01" if value else b"\x00"


def int32(value: int) -> bytes:
    """Four bytes, big-endian, signed: the Status of Android's network calls. Raises ValueError beyond."""
    try:
        return value.to_bytes(4, "big", signed=True)
    except OverflowError as problem:
        raise ValueError(f"{value} does not fit in 32 bits") from problem


_ZEROS = bytes(65_536)
_ONE_BYTE = [bytes([value]) for value in range(0x80)]

WRITERS: dict[str, Callable[..., bytes]] = {
    "uint": uint,
    "string": string,
    "boolean": boolean,
    "int32": int32,
}
