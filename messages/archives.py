"""Archives of screenshots: a tar or a chain of frames, told apart by content, never by label (spec 4.1, 4.2).

Nothing here touches the file system. What is no picture, has no time in its name or is damaged stands in
`skipped`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from messages.limits import Limits
from messages.tarball import TarWalk, looks_like_tar
from messages.unpack import unpack
from messages.wire import only_zeros
from playhead.errors import Malformed, TooMuch

_RECORD = Struct("<QI")
_EXTENSIONS = frozenset({"jpeg", "jpg", "png", "webp", "avif"})
ENTRIES_PER_FRAME = 4  # headers that may stand in an archive for each picture allowed


@dataclass(frozen=True, slots=True)
class Picture:
    """One screenshot: `at_ms` on the device's clock (as sent, up to 20 digits), the format its bytes show."""

    at_ms: int
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Skip:
    """What was not kept: the entry's name (cut, printable) or its place, and why."""

    where: str
    reason: str


@dataclass(slots=True)
class Archive:
    """The pictures in the order of the archive, and what was left out."""

    frames: list[Picture] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


def sniff_picture(data: bytes) -> str | None:
    """`jpeg`, `png`, `webp` or `avif` by the first bytes; None for anything else."""
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:4] == b"\x89PNG":
        return "png"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return None


def read_archive(data: bytes, limits: Limits) -> Archive:
    """The pictures of an archive, gzip'd or plain.

    Raises TooMuch or Malformed only when nothing can be had; otherwise faults stand in `skipped`.
    """
    unpacked = unpack(data, limits.max_unpacked_bytes)
    archive = Archive()
    fault: Malformed | None
    if looks_like_tar(unpacked.data):
        fault = _from_tar(unpacked.data, limits, archive)
    else:
        fault = _from_chain(unpacked.data, limits, archive)
    if unpacked.fault is not None:
        fault = unpacked.fault
        archive.skipped.append(Skip("gzip", str(unpacked.fault)))
    if fault is not None and not archive.frames:
        raise fault
    return archive


def _keep(archive: Archive, where: str, at_ms: int, data: bytes, limits: Limits) -> None:
    """Takes a picture or notes why not."""
    format = sniff_picture(data)
    if format is None:
        archive.skipped.append(Skip(where, "not a picture"))
    elif len(data) > limits.max_frame_bytes:
        archive.skipped.append(Skip(where, f"larger than {limits.max_frame_bytes} bytes"))
    else:
        archive.frames.append(Picture(at_ms, format, data))


def _from_chain(data: bytes, limits: Limits, archive: Archive) -> Malformed | None:
    """Records of time, size and picture; the chain must end exactly at the end -> what broke it."""
    at, size = 0, len(data)
    for place in range(limits.max_frames):
        if at == size:
            return None
        where = f"frame {place}"
        if at + _RECORD.size > size:
            return _broken(archive, where, "header is not whole")
        at_ms, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + length > size:
            return _broken(archive, where, "data is not whole")
        _keep(archive, where, at_ms, data[at : at + length], limits)
        at += length
    if at == size:
        return None
    archive.skipped.append(Skip(f"frame {limits.max_frames}", f"more than {limits.max_frames} frames"))
    return TooMuch(f"more than {limits.max_frames} frames")


def _broken(archive: Archive, where: str, reason: str) -> Malformed:
    archive.skipped.append(Skip(where, reason))
    return Malformed(f"neither tar nor frames, or cut: {where}: {reason}")


def _from_tar(data: bytes, limits: Limits, archive: Archive) -> Malformed | None:
    """Regular entries named `<base>_<ms>.<ext>` -> what ended the archive early."""
    walk = TarWalk(data, limits.max_frames * ENTRIES_PER_FRAME)
    try:
        for entry in walk:
            at_ms = entry.refusal or _time_in(entry.name)
            if isinstance(at_ms, str):
                archive.skipped.append(Skip(entry.label, at_ms))
            elif len(archive.frames) >= limits.max_frames:
                raise TooMuch(f"more than {limits.max_frames} frames")
            else:
                _keep(archive, entry.label, at_ms, data[entry.start : entry.end], limits)
    except Malformed as problem:
        archive.skipped.append(Skip(f"offset {walk.at}", str(problem)))
        return problem
    if not only_zeros(data, walk.at):
        archive.skipped.append(Skip(f"offset {walk.at}", "bytes behind the end of the tar"))
    return None


def _time_in(name: str) -> int | str:
    """The time (ms) in an entry's name: the digits behind its last underscore (spec 4.1); or why there is
    none.

    The counter names of the first iOS releases (`000012.jpeg`) have no time and cannot be placed.
    """
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        return "a path out of the archive"
    stem, _, extension = name.rpartition(".")
    if extension.lower() not in _EXTENSIONS:
        return "not the name of a picture"
    _, underscore, digits = stem.rpartition("_")
    if not (underscore and digits.isascii() and digits.isdigit()) or len(digits) > 20:
        return "no time in the name"
    return int(digits)
