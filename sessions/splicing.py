"""A timeline as it is stored and sent: gzip JSON whose beginning is replaced without compressing the rest again.

The text up to `"tracks":{` lies in a deflate block of its own that is not compressed, what follows in blocks that
refer to nothing before them. So a reader puts another beginning there, and mends the checksum (RFC 1951 3.2.4,
RFC 1952 2.3.1): a few milliseconds for a session of any length.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import Final

_TRACKS: Final = b'"tracks":{'
_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, no time, no system
_STORED: Final = struct.Struct("<xHH")  # a block that is not compressed: its length, and inverted
_TRAILER: Final = struct.Struct("<II")  # CRC-32 and length of the text
_LEVEL: Final = 6
_QUICK: Final = 1
_POLYNOMIAL: Final = 0xEDB88320
_ONE: Final = 1 << 31  # x^0, bit-reflected as CRC-32 is
_BYTE: Final = 1 << 23  # x^8


def pack(timeline: bytes) -> bytes:
    """A timeline (JSON object, `tracks` after members without text) as it is stored: plain gzip to any reader."""
    cut = timeline.index(_TRACKS) + len(_TRACKS)
    block = _STORED.pack(cut, cut ^ 0xFFFF) + timeline[:cut]
    return _gzip(block + _deflate(timeline[cut:], _LEVEL, zlib.Z_FINISH), zlib.crc32(timeline), len(timeline))


def splice(stored: bytes, members: bytes, track: bytes = b"") -> bytes:
    """gzip of a stored timeline, `members` (a JSON object) put first and `track` (`"name":{…}`) among its tracks."""
    head = _head_of(stored)
    if head is None:
        return compress(insert(gzip.decompress(stored), members, track))
    rest = memoryview(stored)[len(_HEADER) + _STORED.size + len(head) : -_TRAILER.size]
    follows = zlib.decompressobj(-zlib.MAX_WBITS).decompress(rest, 1)
    front = _front(head, members, track, follows)
    crc, size = _TRAILER.unpack(stored[-_TRAILER.size :])
    behind = size - len(head)
    crc ^= _moved(zlib.crc32(head) ^ zlib.crc32(front), behind)
    return _gzip(_deflate(front, _QUICK, zlib.Z_SYNC_FLUSH) + rest, crc, len(front) + behind)


def insert(timeline: bytes, members: bytes, track: bytes = b"") -> bytes:
    """The same for a timeline as text."""
    cut = timeline.index(_TRACKS) + len(_TRACKS)
    return _front(timeline[:cut], members, track, timeline[cut : cut + 1]) + timeline[cut:]


def compress(text: bytes) -> bytes:
    """gzip, quickly."""
    return gzip.compress(text, compresslevel=_QUICK, mtime=0)


def _front(head: bytes, members: bytes, track: bytes, follows: bytes) -> bytes:
    comma = b"," if track and follows != b"}" else b""
    return members[:-1] + b"," + head[1:] + track + comma


def _head_of(stored: bytes) -> bytes | None:
    """The block of its own; none in a recording made before there was one."""
    length, inverted = _STORED.unpack_from(stored, len(_HEADER))
    if not stored.startswith(_HEADER + b"\0") or length ^ inverted != 0xFFFF:
        return None
    begin = len(_HEADER) + _STORED.size
    return stored[begin : begin + length]


def _gzip(deflated: bytes, crc: int, size: int) -> bytes:
    return _HEADER + deflated + _TRAILER.pack(crc, size & 0xFFFFFFFF)


def _deflate(text: bytes, level: int, end: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush(end)


def _moved(crc: int, count: int) -> int:
    """What a CRC-32 becomes in front of `count` further bytes: crc * x^(8 count) modulo the polynomial."""
    power, base = _ONE, _BYTE
    while count:
        if count & 1:
            power = _product(power, base)
        base = _product(base, base)
        count >>= 1
    return _product(crc, power)


def _product(one: int, other: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if one >> bit & 1:
            product ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product
