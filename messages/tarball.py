"""Walking a tar in memory: headers only, no file system, bounded in entries and in the size of names.

ustar, GNU long names and PAX `path` and `size` are understood; everything that is no regular file is named
and refused. Source: POSIX.1-2017 pax; spec/openreplay-mobile.md 4.1; what iOS (SWCompression) and Android
(commons-compress) write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playhead.errors import Malformed, TooMuch

BLOCK = 512
MAX_EXTENDED_BYTES = 65_536  # a PAX header or long name; larger ones are stepped over unread
MAX_NAME_CHARS = 200  # in reports

_REFUSED = {
    b"1": "hard link",
    b"2": "symbolic link",
    b"3": "character device",
    b"4": "block device",
    b"5": "folder",
    b"6": "fifo",
}
_EMPTY_BODY = frozenset(_REFUSED)  # nothing follows their header, whatever its size says
_REGULAR = frozenset({b"0", b"\0", b"7"})


class NotTar(Malformed):
    """No tar header where one should be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its data is `data[start:end]` of the archive; `refusal` says why it must not be taken."""

    name: str
    start: int
    end: int
    refusal: str | None

    @property
    def label(self) -> str:
        """The name for reports: short and printable."""
        return "".join(c if c.isprintable() else "?" for c in self.name[:MAX_NAME_CHARS])


def looks_like_tar(data: bytes) -> bool:
    """`ustar` at offset 257, a header of older tars by its checksum, or a block of zeros (an empty tar)."""
    block = data[:BLOCK]
    return block[257:262] == b"ustar" or (
        len(block) == BLOCK and (_sum_fits(block) or not block.strip(b"\0"))
    )


class TarWalk:
    """Iterates over the entries; `at` is where it stands.

    Raises Malformed at a damaged header or where the archive is cut, TooMuch beyond `max_headers`.
    """

    def __init__(self, data: bytes, max_headers: int) -> None:
        self._data = data
        self._max_headers = max_headers
        self.at = 0

    def __iter__(self) -> Iterator[Entry]:
        data, total = self._data, len(self._data)
        extended: dict[str, str] = {}
        for _ in range(self._max_headers):
            header = data[self.at : self.at + BLOCK]
            if not header.strip(b"\0"):
                return  # the end: a block of zeros, or nothing more
            if len(header) < BLOCK:
                raise Malformed("tar header is not whole")
            if not _sum_fits(header):
                raise NotTar("no tar header where one should be")
            kind = header[156:157]
            size = 0 if kind in _EMPTY_BODY else _number(header[124:136])
            if kind in _REGULAR and "size" in extended:
                size = _decimal(extended["size"])
            start = self.at + BLOCK
            if kind == b"S":
                start = _behind_sparse_map(data, self.at)
            if size > total - start:
                raise Malformed("tar entry is not whole")
            end = start + size
            if kind in (b"x", b"L"):
                extended.update(_extended(data, start, size, kind))
            elif kind in (b"g", b"K"):
                pass  # defaults for all entries, and names that links point to: nothing that we use
            else:
                yield _entry(header, kind, start, end, extended)
                extended = {}
            self.at = start + -(-size // BLOCK) * BLOCK
        if data[self.at : self.at + BLOCK].strip(b"\0"):
            raise TooMuch(f"more than {self._max_headers} headers in a tar")


def _entry(header: bytes, kind: bytes, start: int, end: int, extended: dict[str, str]) -> Entry:
    name = extended.get("path")
    if name is None:
        name = _text(header[:100])
        prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
        name = f"{prefix}/{name}" if prefix else name
    refusal = _REFUSED.get(kind)
    if refusal is None and (kind == b"S" or any(key.startswith("GNU.sparse") for key in extended)):
        refusal = "sparse file"
    if refusal is None and kind not in _REGULAR:
        refusal = "unknown kind of entry"
    if refusal is None and "oversized" in extended:
        refusal = extended["oversized"]
    return Entry(name, start, end, refusal)


def _extended(data: bytes, start: int, size: int, kind: bytes) -> dict[str, str]:
    """Keys of a PAX header, or the long name of GNU as `path`."""
    if size > MAX_EXTENDED_BYTES:
        return {"oversized": f"extended header of {size} bytes"}
    if kind == b"L":
        return {"path": _text(data[start : start + size])}
    found: dict[str, str] = {}
    at, end = start, start + size
    while at < end:
        space = data.find(b" ", at, min(end, at + 21))
        digits = data[at:space] if space > 0 else b""
        if not digits.isdigit():
            break
        stop = at + int(digits)
        if not space < stop <= end:
            raise Malformed("damaged PAX header")
        key, _, value = data[space + 1 : stop].rstrip(b"\n").partition(b"=")
        if key in (b"path", b"size") or key.startswith(b"GNU.sparse"):
            found[_text(key)] = _text(value)
        at = stop
    return found


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")


def _decimal(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 20:
        raise Malformed("bad size in a PAX header")
    return int(value)


def _number(raw: bytes) -> int:
    """A size: octal digits, or base 256 with the top bit set. Raises Malformed for negative and other
    nonsense."""
    if raw[0] & 0x80:
        if raw[0] & 0x40:
            raise Malformed("negative size in a tar header")
        return int.from_bytes(raw, "big") & ~(0x80 << 8 * (len(raw) - 1))
    digits = raw.strip(b"\0 ")
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise Malformed("bad size in a tar header")
    return int(digits, 8)


def _sum_fits(header: bytes) -> bool:
    """Whether the checksum at 148 is the sum of all bytes with itself as spaces (unsigned, or signed of old
    tars)."""
    digits = header[148:156].strip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        return False
    said = int(digits, 8)
    summed = header[:148] + b" " * 8 + header[156:]
    return said == sum(summed) or said == sum(summed) - 256 * sum(byte > 127 for byte in summed)


def _behind_sparse_map(data: bytes, at: int) -> int:
    """Where the data of an old GNU sparse entry begins: behind the blocks that continue its map."""
    more = data[at + 482 : at + 483]
    at += BLOCK
    while more not in (b"", b"\0"):
        more = data[at + 504 : at + 505]
        at += BLOCK
    return at
