"""Bounded gunzip: by magic, never by header; many members, bombs and cut streams (spec 1.4, 3.4).

Memory: at most `max_bytes` unpacked plus one chunk. Time: linear in what is read and written.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from messages.wire import only_zeros
from playhead.errors import Malformed, TooMuch

GZIP_MAGIC = b"\x1f\x8b"
MAX_MEMBERS = 1_000  # an SDK writes one; each costs the set-up of an inflater
_CHUNK_BYTES = 16_384  # what is read at once behind the first member, so that leftovers are copied but little


class BrokenGzip(Malformed):
    """A gzip stream that is cut or damaged; `partial` is what could be read."""

    def __init__(self, message: str, partial: bytes) -> None:
        super().__init__(message)
        self.partial = partial


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What could be read (up to one byte over the limit), and why there is no more (None: it is whole)."""

    data: bytes
    fault: Malformed | None


def sniff_unpack(body: bytes, max_bytes: int) -> bytes:
    """The body, gunzipped if it begins as gzip. Raises TooMuch beyond `max_bytes`, BrokenGzip if it is
    cut."""
    unpacked = unpack(body, max_bytes)
    if unpacked.fault is not None:
        raise unpacked.fault
    return unpacked.data


def unpack(body: bytes, max_bytes: int) -> Unpacked:
    """As `sniff_unpack`, but keeps what was readable beside the fault."""
    if body[:2] != GZIP_MAGIC:
        if len(body) > max_bytes:
            return Unpacked(body[: max_bytes + 1], _beyond(max_bytes))
        return Unpacked(body, None)
    inflater = zlib.decompressobj(wbits=31)
    try:
        data = inflater.decompress(body, max_bytes + 1)
    except zlib.error:
        return _members(body, max_bytes)  # in chunks, to keep what precedes the damage
    if inflater.eof and not inflater.unused_data and len(data) <= max_bytes:
        return Unpacked(data, None)
    if len(data) > max_bytes:
        return Unpacked(data, _beyond(max_bytes))
    del data
    return _members(body, max_bytes)


def _members(body: bytes, max_bytes: int) -> Unpacked:
    """Member after member, chunk by chunk; keeps what precedes a fault."""
    parts: list[bytes] = []
    room = max_bytes
    at = 0
    for _ in range(MAX_MEMBERS):
        inflater = zlib.decompressobj(wbits=31)
        try:
            while not inflater.eof:
                chunk = body[at : at + _CHUNK_BYTES]
                if not chunk:
                    raise zlib.error("cut")
                at += len(chunk)
                data = inflater.decompress(chunk, room + 1)
                parts.append(data)
                room -= len(data)
                if room < 0:
                    return Unpacked(b"".join(parts), _beyond(max_bytes))
        except zlib.error:
            whole = b"".join(parts)
            return Unpacked(whole, BrokenGzip("gzip stream is cut or damaged", whole))
        at -= len(inflater.unused_data)
        if body[at : at + 2] != GZIP_MAGIC:
            break
    whole = b"".join(parts)
    fault: Malformed | None = None
    if body[at : at + 2] == GZIP_MAGIC:
        fault = TooMuch(f"more than {MAX_MEMBERS} gzip members")
    elif not only_zeros(body, at):  # zeros may pad the end, as gzip(1) has it
        fault = BrokenGzip("bytes behind the end of the gzip stream", whole)
    return Unpacked(whole, fault)


def _beyond(max_bytes: int) -> TooMuch:
    return TooMuch(f"more than {max_bytes} bytes unpacked")
