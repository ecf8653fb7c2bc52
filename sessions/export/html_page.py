"""A replay as one page that needs nothing else: pictures and events are data in it, a small viewer shows them.

Its policy lets nothing in and nothing out but that one script. What apps sent stands in blocks of JSON and base64,
where no letter of it can end the block; the viewer puts it on the page as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final

import orjson

from sessions.export.plain_text import facts
from sessions.export.words import Chronicle, Line
from sessions.message_pages import MessageView
from sessions.recording import StoredFrame

FOLDER: Final = Path(__file__).resolve().parents[2] / "player" / "export"
MAX_EVENTS: Final = 50_000
_TEXT_CHARS: Final = 500
_MORE_CHARS: Final = 10_000

Read = Callable[[int], Awaitable[tuple[bytes, str]]]


async def page_of(
    replay: dict[str, Any],
    frames: Iterable[StoredFrame],
    read: Read,
    blocks: AsyncIterator[list[MessageView]],
    *,
    max_bytes: int,
) -> AsyncIterator[bytes]:
    """The page, piece by piece; `read(at_ms)` gives a picture's bytes and format.

    Where pictures have more than `max_bytes`, only every second, third … is taken, and the page says so.
    """
    script, style = _source("viewer.js"), _source("viewer.css")
    chosen, step = thinned(list(frames), max_bytes)
    numbers: dict[tuple[int, int], int] = {}
    shown = [(f.at_ms - replay["started_ms"], numbers.setdefault(_content(f), len(numbers))) for f in chosen]
    about = {
        "facts": list(facts(replay)),
        "platform": replay["platform"],
        "duration_ms": replay["duration_ms"],
        "device": {name: replay["device"][name] for name in ("width", "height")},
        "frames": shown,
        "every": step,
    }
    yield _head(replay, script, style).encode()
    yield _block("told", about)
    async for piece in _events(replay, blocks):
        yield piece
    first = {number: frame for frame in reversed(chosen) for number in (numbers[_content(frame)],)}
    for number in range(len(numbers)):
        content, form = await read(first[number].at_ms)
        text = base64.b64encode(content).decode()
        yield f'<script type="text/plain" id="p{number}" data-type="image/{form}">{text}</script>\n'.encode()
    yield f"<script>{script}</script>\n</body>\n</html>\n".encode()


def thinned(frames: list[StoredFrame], max_bytes: int) -> tuple[list[StoredFrame], int]:
    """Every n-th picture, so that different ones have `max_bytes` at most -> (those, n)."""
    step = 1
    while True:
        chosen = frames[::step]
        size = sum({_content(frame): frame.length for frame in chosen}.values())
        if size <= max_bytes or len(chosen) <= 1:
            return chosen, step
        step = max(step + 1, step * size // max_bytes)


async def _events(replay: dict[str, Any], blocks: AsyncIterator[list[MessageView]]) -> AsyncIterator[bytes]:
    """[[ms since the start, kind, text, further text, x, y], …]"""
    chronicle, count, comma = Chronicle(replay["platform"]), 0, b""
    yield b'<script type="application/json" id="events">['
    async for block in blocks:
        lines = [line for message in block if (line := chronicle.line_of(message)) is not None]
        lines = lines[: MAX_EVENTS - count]
        count += len(lines)
        if lines:
            yield comma + b",".join(_json(_row(line, replay["started_ms"])) for line in lines)
            comma = b","
        if count >= MAX_EVENTS:
            break
    yield b"]</script>\n"


def _row(line: Line, start_ms: int) -> list[Any]:
    x, y = line.place or (None, None)
    return [line.at_ms - start_ms, line.kind, line.text[:_TEXT_CHARS], line.more[:_MORE_CHARS], x, y]


def _head(replay: dict[str, Any], script: str, style: str) -> str:
    policy = (
        f"default-src 'none'; img-src data:; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types"
    )
    body = _source("viewer.html").partition("<body>")[2].partition("</body>")[0]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}" />\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />\n'
        '<meta name="referrer" content="no-referrer" />\n'
        f"<title>Replay {escape(replay['session_id'])}</title>\n<style>{style}</style>\n</head>\n<body>{body}"
    )


def _block(name: str, value: Any) -> bytes:
    return f'<script type="application/json" id="{name}">'.encode() + _json(value) + b"</script>\n"


def _json(value: Any) -> bytes:
    """JSON without any `<`, so that nothing in it can end the block that it stands in."""
    return orjson.dumps(value).replace(b"<", b"\\u003c")


def _content(frame: StoredFrame) -> tuple[int, int]:
    """What tells pictures of different content apart."""
    return frame.object_no, frame.offset


def _digest(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


@lru_cache(maxsize=8)
def _source(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")
