"""The web player: files of `player/` as they are, under a policy that lets nothing else in."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.responses import Response

from http_service.auth import Access
from http_service.operations import Call, Operation, Reply
from playhead.errors import NotFound

ROOT: Final = Path(__file__).resolve().parents[2] / "player"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default lit-html"
)
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
_NO_PLAYER: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Playhead</title>"
    "<h1>Playhead</h1><p>It runs. What it can do: <a href=/docs>the API</a>."
)


async def index(call: Call) -> Response:
    """The player's page."""
    return _file(call, "index.html")


async def asset(call: Call) -> Response:
    """One file of the player."""
    return _file(call, call.path("file"))


def _file(call: Call, name: str) -> Response:
    """A file under ROOT, revalidated by ETag. Raises NotFound for anything that is not one of the player's own."""
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
    try:
        path = (ROOT / name).resolve()
        kind = TYPES.get(path.suffix) if path.is_relative_to(ROOT) and path.is_file() else None
    except (OSError, ValueError):  # too long, or no path at all
        kind = None
    if kind is None:
        if name == "index.html":
            return Response(_NO_PLAYER, media_type="text/html", headers=headers)
        raise NotFound("no such file")
    content, etag = _content(path, path.stat().st_mtime_ns)
    headers["etag"] = etag
    if call.header("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers={**headers, "content-type": kind})


@lru_cache(maxsize=200)
def _content(path: Path, _changed_ns: int) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _page(path: str, summary: str, **parameters: str) -> Operation:
    page = Reply(200, "a page", content_type="text/html")
    return Operation(
        "GET", path, summary, "player", Access.PUBLIC, (page,), handle=index, parameters=parameters
    )


OPERATIONS: Final = (
    _page("/", "The player: list of sessions"),
    _page("/replays/{session_id}", "The player: one session", session_id="the session's id"),
    _page("/sign-in", "The player: sign-in; a one-time link carries its code behind `#`"),
    Operation(
        "GET",
        "/player/{file:path}",
        "A file of the player",
        "player",
        Access.PUBLIC,
        (Reply(200, "the file", content_type="*/*"),),
        handle=asset,
        refusals=(404,),
        parameters={"file": "its path"},
    ),
)
