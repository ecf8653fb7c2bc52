"""multipart/form-data of the image routes, read in memory and within bounds. Source:
spec/openreplay-mobile.md 1.2, 1.4."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from playhead.errors import Malformed, TooMuch

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_VALUE_BYTES: Final = 65_536  # one form value; longer ones are cut
MAX_NAME_CHARS: Final = 1_000


@dataclass(frozen=True, slots=True)
class File:
    """One file part: the form field, the client's name for it, its declared type, its content."""

    field: str
    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """All parts of one body in order; `damaged` says why reading ended early, None if it did not."""

    values: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    damaged: str | None = None


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a multipart/form-data header; None if it is none or names none."""
    try:
        kind, options = parse_options_header(content_type)
    except (ValueError, UnicodeError):
        return None
    if not kind.strip().startswith(b"multipart/"):
        return None
    boundary = options.get(b"boundary")
    return boundary if boundary and len(boundary) <= 256 else None


def parse_upload(content_type: str, body: bytes, *, max_parts: int = 10_000) -> Upload:
    """Values and files of a body; what could be read before a fault is kept, the last part even if cut.

    Raises Malformed if nothing is multipart here, TooMuch over `max_parts`.
    """
    boundary = boundary_of(content_type)
    if boundary is None:
        raise Malformed("not multipart/form-data, or no boundary")
    reader = _Reader(max_parts)
    damaged: str | None = None
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(body)
    except FormParserError:
        damaged = "malformed multipart"
    if damaged is None and not reader.ended:
        damaged = "the last boundary is missing"
    reader.finish()
    if damaged is not None and not (reader.upload.values or reader.upload.files):
        raise Malformed(damaged)
    return Upload(reader.upload.values, reader.upload.files, damaged)


class _Reader:
    """Gathers the parser's callbacks into an Upload."""

    def __init__(self, max_parts: int) -> None:
        self.upload = Upload()
        self.ended = False
        self._left = max_parts
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._spans: list[memoryview] | None = None

    def callbacks(self) -> MultipartCallbacks:
        """What MultipartParser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._data_begins,
            "on_part_data": self._data,
            "on_part_end": self.finish,
            "on_end": self._end,
        }

    def finish(self) -> None:
        """The part that is open ends here."""
        if self._spans is None:
            return
        data = b"".join(self._spans)
        self._spans = None
        _, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        name = _text(options.get(b"name", b""))
        declared = self._headers.get(b"content-type", b"").decode("latin-1")[:MAX_NAME_CHARS]
        if b"filename" in options or (declared and not declared.startswith("text/")):
            self.upload.files.append(File(name, _text(options.get(b"filename", b"")), declared, data))
        else:
            self.upload.values.setdefault(name, data[:MAX_VALUE_BYTES].decode("utf-8", "replace"))

    def _begin(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooMuch("more parts than allowed")
        self._headers = {}
        self._name = self._value = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _data_begins(self) -> None:
        self._spans = []

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._spans is not None:
            self._spans.append(memoryview(data)[start:end])

    def _end(self) -> None:
        self.ended = True


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\0", "")[:MAX_NAME_CHARS]
