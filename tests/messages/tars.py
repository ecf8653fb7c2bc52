"""Builds archives for the tests: honest ones, and headers that lie."""

from __future__ import annotations

import io
import struct
import tarfile

JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 20 + b"\xff\xd9"
WEBP = b"RIFF\x30\0\0\0WEBPVP8L" + b"w" * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 40
AVIF = b"\0\0\0\x1cftypavif" + b"a" * 40
FIRST = 1_748_764_800_000


def name_at(place: int) -> str:
    """A picture's name as both SDKs write it."""
    return f"{FIRST}_1_{FIRST + place}.jpeg"


def tar_of(*entries: tuple[str, bytes], format: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar of regular files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def special(name: str, kind: bytes, *, link: str = "", size: int = 0) -> bytes:
    """The header of one entry that is no regular file."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def header(name: str, size_field: bytes, kind: bytes = b"0") -> bytes:
    """A header whose size field is these twelve bytes, with the right checksum."""
    raw = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    raw[124:136] = size_field
    raw[156:157] = kind
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw)


def entry(name: str, data: bytes, kind: bytes = b"0") -> bytes:
    """Header and data, padded to blocks; no end of the archive."""
    return header(name, b"%011o\0" % len(data), kind) + data + bytes(-len(data) % 512)


def pax(**keys: str) -> bytes:
    """A PAX header with these keys for the entry that follows."""
    records = b""
    for key, value in keys.items():
        body = f" {key.replace('__', '.')}={value}\n".encode()
        size = len(body) + 1
        while len(str(size)) + len(body) != size:
            size = len(str(size)) + len(body)
        records += str(size).encode() + body
    return entry("PaxHeader", records, b"x")


def chain(*records: tuple[int, bytes]) -> bytes:
    """The frames format: time, size, data of each picture."""
    return b"".join(struct.pack("<QI", at, len(data)) + data for at, data in records)
