"""Files of the web player as browsers get them: under addresses that name their state, so that they are kept.

`/player/@3f2a…/app.js`: behind `@` stands a digest of all files. Pages name it, and what is under it names the rest by
relative addresses, so a browser asks for each file once per release. There the modules of the app come joined
(`joined_modules`), as do the page's style sheets: each request before the first picture costs more than the bytes.
Without a state (`/player/app.js`) every file is what it is on disk.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from http_service.joined_modules import ENTRIES, joined

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
PREFIX: Final = "/player/"
PAGE: Final = "index.html"
STILL: Final = "still.html"  # the page of a session with its picture, until the app has drawn it
STYLES: Final = "all.css"  # of the page, one behind the other
_COMPRESSED: Final = frozenset({".html", ".js", ".css", ".svg", ".json", ".txt"})
_FETCH: Final = 'as="fetch" crossorigin="anonymous"'
_IMAGE: Final = 'as="image" fetchpriority="high"'
_MAIN: Final = '<main id="main" tabindex="-1">'
_STYLE: Final = re.compile(rf'<link rel="stylesheet" href="{PREFIX}([^"]+)" />\n?\s*')

#: path below the root, time of change (ns), size
Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class PlayerFile:
    """One file or page; `packed` is its gzip form, empty if that would not be smaller."""

    content: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    etag: str
    kind: str
    forever: bool = False  # this address will never mean anything else


class PlayerFiles:
    """What lies below `root`; changed files show at the next page."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._state = ""

    def page(self, ahead: Sequence[str] = (), picture: str = "") -> PlayerFile | None:
        """The page of the player; none if there is no player here.

        `ahead`: addresses of ours that its script will read first, so the browser asks for them while it gets that.
        `picture`: the address of what a session opens with, to be seen before anything else.
        """
        if not (self._root / PAGE).is_file():
            return None
        self._state = _digest_of(self._root, tuple(self._stamps()))
        page = _page(self._root, self._state)
        if not ahead and not picture:
            return page
        links = "".join(f'<link rel="preload" {_FETCH} href="{html.escape(each)}" />\n' for each in ahead)
        text = page.content.decode().replace("</head>", f"{links}</head>", 1)
        if picture:  # asked for before all else: a browser has six connections
            address = html.escape(picture)
            text = text.replace("<head>", f'<head>\n<link rel="preload" {_IMAGE} href="{address}" />', 1)
            still = (self._root / STILL).read_text().replace("{picture}", address)
            text = text.replace(_MAIN, _MAIN + still, 1)
        return _made(text.encode(), ".html")

    def file(self, path: str) -> PlayerFile | None:
        """The file of an address, with or without a state before it; none for what is not the player's own."""
        forever, under_state = False, path.startswith("@")
        self._state = self._state or _digest_of(self._root, tuple(self._stamps()))
        if under_state:
            state, _, path = path[1:].partition("/")
            if state != self._state:  # another process may have served a newer page
                self._state = _digest_of(self._root, tuple(self._stamps()))
            forever = state == self._state
        try:
            if path == STYLES:
                return _styles(self._root, self._state, forever)
            if under_state and path in ENTRIES:
                return _joined(self._root, self._state, path, forever)
            found = (self._root / path).resolve()
            if found.suffix not in TYPES or not found.is_relative_to(self._root) or not found.is_file():
                return None
            return _file(found, found.stat().st_mtime_ns, forever)
        except (OSError, ValueError):  # too long, or no path at all
            return None

    def _stamps(self) -> Iterator[Stamp]:
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.splitext(name)[1] in TYPES:
                    status = os.stat(path)
                    yield os.path.relpath(path, self._root), status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _digest_of(root: Path, stamps: tuple[Stamp, ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in sorted(stamps):
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=4)
def _page(root: Path, state: str) -> PlayerFile:
    text = (root / PAGE).read_text()
    text = _STYLE.sub(f'<link rel="stylesheet" href="{PREFIX}{STYLES}" />\n', text, count=1)
    text = _STYLE.sub(lambda named: named[0] if named[1] == STYLES else "", text)
    return _made(text.replace(f'"{PREFIX}', f'"{PREFIX}@{state}/').encode(), ".html")


@lru_cache(maxsize=8)
def _joined(root: Path, state: str, entry: str, forever: bool) -> PlayerFile:
    """Raises OSError where a module is missing, ValueError where it cannot be joined."""
    return _made(joined(root, entry).encode(), ".js", forever)


@lru_cache(maxsize=8)
def _styles(root: Path, state: str, forever: bool) -> PlayerFile:
    """All style sheets that the page names, in its order. Raises OSError where one is missing."""
    names = _STYLE.findall((root / PAGE).read_text())
    return _made(b"\n".join((root / name).read_bytes() for name in names), ".css", forever)


@lru_cache(maxsize=500)
def _file(path: Path, _changed_ns: int, forever: bool) -> PlayerFile:
    return _made(path.read_bytes(), path.suffix, forever)


def _made(content: bytes, suffix: str, forever: bool = False) -> PlayerFile:
    packed = gzip.compress(content, mtime=0) if suffix in _COMPRESSED else b""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return PlayerFile(content, packed if len(packed) < len(content) else b"", etag, TYPES[suffix], forever)
