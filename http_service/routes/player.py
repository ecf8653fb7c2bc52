"""The web player: files of `player/` as they are, under a policy that lets nothing else in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from http_service.auth import Access
from http_service.operations import Call, Operation, Reply
from http_service.player_files import PlayerFile, PlayerFiles
from http_service.sign_in_cookie import token_of
from playhead.errors import NotFound

ROOT: Final = Path(__file__).resolve().parents[2] / "player"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default lit-html"
)
FOREVER: Final = "public, max-age=31536000, immutable"
_FILES: Final = PlayerFiles(ROOT)
_NO_PLAYER: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Playhead</title>"
    "<h1>Playhead</h1><p>It runs. What it can do: <a href=/docs>the API</a>."
)


def _opens(*ahead: str, picture: str = "") -> Callable[[Call], Awaitable[Response]]:
    async def page(call: Call) -> Response:
        if token_of(call.request):
            found = _FILES.page(list(_filled(ahead, call)), next(_filled([picture], call), ""))
        else:  # would be refused what is asked for ahead
            found = _FILES.page()
        if found is None:
            headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
            return Response(_NO_PLAYER, media_type="text/html", headers=headers)
        return _answer(call, found)

    return page


def _filled(addresses: Iterable[str], call: Call) -> Iterator[str]:
    """The addresses, for this session and moment if they are about one; not for what is no id."""
    for each in addresses:
        if "{" not in each:
            yield each
            continue
        session_id = call.path("session_id")
        if session_id.isascii() and session_id.isdigit() and len(session_id) <= 19:
            moment = _moment(call.request.url.query)
            yield each.format(session_id=session_id, at=f"?t={moment}" if moment else "")


def _moment(query: str) -> str:
    """`t` as the player reads it (replay/place_in_address.js): ms, or nothing."""
    text = dict(reversed(parse_qsl(query))).get("t", "")
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= 12 else ""


def lost(request: Request) -> Response | None:
    """The player, which says that nothing is here, for a browser at an address that is nobody's; others get none."""
    wanted = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if not wanted or request.url.path.startswith("/api/"):
        return None
    found = _FILES.page()
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache", "vary": "Accept"}
    return Response(found.content, 404, headers, found.kind) if found else None


async def asset(call: Call) -> Response:
    """One file of the player."""
    found = await asyncio.to_thread(_FILES.file, call.path("file"))  # joining takes a tenth of a second, once
    if found is None:
        raise NotFound("no such file")
    return _answer(call, found)


def _answer(call: Call, file: PlayerFile) -> Response:
    headers = {
        "content-security-policy": POLICY,
        "cache-control": FOREVER if file.forever else "no-cache",
        "etag": file.etag,
        "vary": "Accept-Encoding",
    }
    if call.header("if-none-match").removeprefix("W/") == file.etag:
        return Response(status_code=304, headers=headers)
    headers["content-type"] = file.kind
    if not file.packed or "gzip" not in call.header("accept-encoding"):
        return Response(file.content, headers=headers)
    return Response(file.packed, headers={**headers, "content-encoding": "gzip"})


def _page(path: str, summary: str, *ahead: str, picture: str = "", **parameters: str) -> Operation:
    """A page whose script reads the addresses `ahead` first, and which opens with a picture."""
    page = Reply(200, "a page", content_type="text/html")
    handle = _opens(*ahead, picture=picture)
    return Operation(
        "GET", path, summary, "player", Access.PUBLIC, (page,), handle=handle, parameters=parameters
    )


ME: Final = "/api/v1/me"
OPENING: Final = "/api/v1/replays/{session_id}/opening{at}"
TIMELINE: Final = "/api/v1/replays/{session_id}/timeline"

OPERATIONS: Final = (
    _page("/", "The player: list of sessions", ME),
    _page("/issues", "The player: what many sessions have in common", ME),
    _page(
        "/replays/{session_id}",
        "The player: one session",
        ME,
        TIMELINE,
        picture=OPENING,
        session_id="the session's id",
    ),
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
