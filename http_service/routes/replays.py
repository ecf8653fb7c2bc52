"""Recorded sessions: list, one, its messages, pictures and timeline, deletion. Source: interface section 5."""

from __future__ import annotations

import gzip
import re
from dataclasses import asdict
from typing import Any, Final

from starlette.responses import Response

from http_service import models
from http_service.auth import Access
from http_service.collecting import collected_of
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import scope_of, seen_session
from http_service.whole_lists import page_of
from playhead.errors import NotFound
from sessions.model import COUNTERS, Session
from sessions.search import FACETS, ReplayFilters
from sessions.suggestions import suggest
from sessions.view import ReplayView

#: pictures never change under their address, but a session can be deleted: shared caches stay out
FOREVER: Final = "private, max-age=31536000, immutable"
#: by the device's clock the player asks for pictures that still arrive: two of the same ms may change places
LIVE_FRAME: Final = "private, max-age=600"
#: the weight of an encoding that a client refuses
_NEVER: Final = re.compile(r"\s*q=0(\.0*)?\s*")

#: which picture it is: its time by the device's clock
FRAME_HEADER: Final = "playhead-frame"
#: how long a list may show an older picture, s
POSTER_S, LIVE_POSTER_S = 60, 5


async def list_replays(call: Call) -> Response:
    """Sessions that match all filters."""
    query = call.query(models.ReplayQuery)
    scope = await scope_of(call.services.projects, call.caller, query.project)
    page = await call.services.replays.page(filters_of(query), scope)
    keys = await _project_keys(call, page.sessions)
    rows = [_listed(session).as_json(keys.get(session.project_id)) for session in page.sessions]
    return json_answer({"replays": rows, "next_cursor": page.next_cursor})


async def suggestions(call: Call) -> Response:
    """Values that exist, for a filter of the list."""
    query = call.query(models.SuggestionQuery)
    scope = await scope_of(call.services.projects, call.caller, query.project)
    if scope is None:
        scope = tuple(each.project_id for each in await call.services.projects.list())
    found = await suggest(call.services.db, scope, query.field, query.prefix, query.limit)
    values = [models.SuggestionOut(value=each.value, count=each.count) for each in found]
    return json_answer(models.SuggestionsOut(values=values))


async def get(call: Call) -> Response:
    """One session."""
    session = await _session(call)
    keys = await _project_keys(call, [session])
    replay = await call.services.replays.get(session)
    return json_answer(replay.as_json(keys.get(session.project_id)))


async def messages(call: Call) -> Response:
    """A session's messages by time, each once."""
    query = call.query(models.MessageQuery)
    page = await call.services.replays.messages(
        await _session(call),
        types=frozenset(map(int, query.type.split(","))) if query.type else None,
        from_ms=query.from_ms,
        to_ms=query.to_ms,
        limit=query.limit,
        cursor=query.cursor,
    )
    return json_answer(
        {"messages": [asdict(each) for each in page.messages], "next_cursor": page.next_cursor}
    )


async def frames(call: Call) -> Response:
    """A session's pictures, without their bytes."""
    query = call.query(models.WholeListQuery)
    found = await call.services.replays.frames(await _session(call))
    page, cursor = page_of(list(found), found.places(), query)
    shown = [{"at_ms": each.at_ms, "bytes": each.length, "format": each.format} for each in page]
    return json_answer({"frames": shown, "next_cursor": cursor})


async def frame(call: Call) -> Response:
    """One picture. While a session is live its correction may move, and the corrected times with it: then an address
    of before leads to what was on the screen at that time. Who keeps a picture under its corrected time keeps what
    was right then, off by as much as the correction has moved since; the device's clock gives addresses that stay.
    """
    query = call.query(models.FrameQuery)
    text = call.path("at_ms")
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 16:
        raise NotFound("no frame at that time")
    session, at_ms, by_device = await _session(call), int(text), query.clock == "device"
    try:
        content, form = await call.services.replays.frame(session, at_ms, by_device=by_device)
    except NotFound:
        if by_device or not session.live:
            raise
        shown = await call.services.replays.shown_at(session, at_ms)
        return Response(status_code=307, headers={"location": str(shown), "cache-control": "no-store"})
    headers = {
        "cache-control": LIVE_FRAME if by_device and session.live else FOREVER,
        "content-disposition": "inline",
    }
    return Response(content, media_type=f"image/{form}", headers=headers)


async def opening(call: Call) -> Response:
    """The picture that a session opens with."""
    query = call.query(models.OpeningQuery)
    session = await _session(call)
    found = await call.services.replays.opening(session, query.t)
    if found is None:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    etag = f'"{session.recording}-{found.device_ms}"'
    headers = {"etag": etag, "cache-control": "private, no-cache", FRAME_HEADER: str(found.device_ms)}
    if _has(call, etag):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=f"image/{found.format}", headers=headers)


async def poster(call: Call) -> Response:
    """A small picture of the last screen."""
    session = await _session(call)
    found = await call.services.replays.poster(session)
    age_s = LIVE_POSTER_S if session.live else POSTER_S
    headers = {"etag": f'"{found.etag}"', "cache-control": f"private, max-age={age_s}"}
    if _has(call, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type="image/webp", headers=headers)


async def timeline(call: Call) -> Response:
    """What the player loads at once; revalidated by ETag once the session is at rest."""
    session = await _session(call)
    keys = await _project_keys(call, [session])
    collected = await collected_of(call.services, session)
    found = await call.services.replays.timeline(session, keys.get(session.project_id), collected)
    etag = f'"{found.etag}"'
    headers = {"etag": etag, "cache-control": "private, no-cache" if found.final else "no-store"}
    headers["vary"] = "Accept-Encoding"
    if _has(call, etag):
        return Response(status_code=304, headers=headers)
    if not _takes_gzip(call):
        return Response(gzip.decompress(found.content), media_type="application/json", headers=headers)
    headers["content-encoding"] = "gzip"
    return Response(found.content, media_type="application/json", headers=headers)


async def change(call: Call) -> Response:
    """Pin a session, or let it go."""
    session = await _session(call)
    body = await call.json(models.ReplayChanges)
    session = await call.services.replays.pin(session, pinned=body.pinned)
    keys = await _project_keys(call, [session])
    return json_answer((await call.services.replays.get(session)).as_json(keys.get(session.project_id)))


async def delete(call: Call) -> Response:
    """Erase a session: rows, recording, pictures; what still arrives of it is dropped."""
    await call.services.replays.delete(await _session(call))
    return Response(status_code=204)


def filters_of(query: models.ReplayQuery) -> ReplayFilters:
    """The list's parameters as the search takes them."""
    facets = {name: value for name in FACETS if (value := getattr(query, name)) is not None}
    return ReplayFilters(
        from_ms=query.from_ms,
        to_ms=query.to_ms,
        min_duration_ms=query.min_duration_ms,
        max_duration_ms=query.max_duration_ms,
        facets=facets,
        metadata=dict(query.metadata),
        url=query.url,
        text=query.text,
        sort=query.sort,
        limit=query.limit,
        cursor=query.cursor,
    )


def _has(call: Call, etag: str) -> bool:
    """Whether the client holds this version."""
    held = [each.strip().removeprefix("W/") for each in call.header("if-none-match").split(",")]
    return etag in held or held == ["*"]


def _takes_gzip(call: Call) -> bool:
    """Whether the client names gzip as an encoding that it reads, and not with the weight 0 ("never")."""
    named = [each.strip().lower().partition(";") for each in call.header("accept-encoding").split(",")]
    return any(name.strip() == "gzip" and not _NEVER.fullmatch(weight) for name, _, weight in named)


async def _session(call: Call) -> Session:
    return await seen_session(call.services.replays, call.caller, call.path("session_id"))


async def _project_keys(call: Call, sessions: list[Session]) -> dict[int, str]:
    keys: dict[int, str] = {}
    for project_id in {session.project_id for session in sessions}:
        project = await call.services.projects.find_by_id(project_id)
        if project is not None:
            keys[project_id] = project.project_key
    return keys


def _listed(session: Session) -> ReplayView:
    """A session as a row of the list: issues by type only."""
    return ReplayView(
        session=session,
        counts={name: getattr(session, name) for name in COUNTERS},
        issues=[{"type": kind} for kind in session.issue_types],
        user_id=session.user_id,
        anonymous_id=session.anonymous_id,
        metadata=session.metadata,
    )


_ID: Final = {"session_id": "the session's id, decimal"}
_REPLAY: Final[dict[str, Any]] = {
    "session_id": "3645366763814944769",
    "project": "shop-ios",
    "status": "ready",
    "platform": "ios",
    "started_ms": 1_767_225_600_000,
    "duration_ms": 61_000,
    "received_ms": 1_767_225_661_500,
    "clock_offset_ms": 120,
    "user": {"uuid": "3F2504E0-4F89-41D3-9A0C-0305E82C3301", "id": "alice", "anonymous_id": None},
    "device": {
        "model": "iPhone15,2",
        "name": "iPhone 14 Pro",
        "type": "mobile",
        "os": "IOS",
        "os_version": "17.4",
        "memory_kb": 6_000_000,
        "width": 393,
        "height": 852,
    },
    "app": {"tracker_version": "1.0.14", "revision": "42"},
    "geo": {"country": "DE", "state": "Berlin", "city": "Berlin"},
    "timezone": "UTC+02:00",
    "metadata": {"plan": "pro"},
    "counts": {
        "messages": 240,
        "events": 31,
        "clicks": 12,
        "swipes": 4,
        "inputs": 2,
        "views": 5,
        "network": 8,
        "network_errors": 1,
        "logs": 40,
        "crashes": 0,
        "frames": 61,
        "bytes": 512_000,
    },
    "issues": [],
    "pinned": False,
    "continues": None,
}
_MESSAGE: Final = {
    "index": 0,
    "type": 100,
    "name": "MobileClickEvent",
    "timestamp_ms": 1_767_225_601_000,
    "device_timestamp_ms": 1_767_225_600_880,
    "fields": {"Label": "Buy", "X": 120, "Y": 640},
}
_TIMELINE: Final = {
    "replay": _REPLAY,
    "collected": {"truncated": False},
    "version": 1,
    "tracks": {"taps": {"t": [1_767_225_600_880], "i": [0], "label": ["Buy"], "x": [120], "y": [640]}},
    "frames": {
        "t": [1_767_225_600_880],
        "bytes": [20_480],
        "format": [0],
        "formats": ["jpeg", "webp", "png", "avif"],
        "same": [0],
    },
    "issues": [],
    "completeness": {"index_ranges": [[1, 240]], "frame_gaps": [], "messages": 240, "frames": 61},
}


def _read(path: str, summary: str, reply: Reply, handle: Any, *others: Reply, **more: Any) -> Operation:
    refusals = (404, 422, 503) if "query" in more else (404, 503)
    return Operation(
        "GET",
        path,
        summary,
        "replays",
        Access.READ,
        (reply, *others),
        handle=handle,
        refusals=refusals,
        shared="{session_id}" in path,
        **more,
    )


_ONE: Final = "/api/v1/replays/{session_id}"

OPERATIONS: Final = (
    _read(
        "/api/v1/replays",
        "List recorded sessions",
        Reply(
            200, "one page", models.ReplaysOut, example={"replays": [_REPLAY], "next_cursor": None}
        ),
        list_replays,
        query=models.ReplayQuery,
    ),
    _read(
        "/api/v1/replays/suggestions",
        "List values that a filter can find",
        Reply(
            200,
            "in alphabetical order",
            models.SuggestionsOut,
            example={"values": [{"value": "iPhone 14 Pro", "count": 12}]},
        ),
        suggestions,
        query=models.SuggestionQuery,
    ),
    _read(
        _ONE, "Read a session", Reply(200, "the session", models.ReplayOut, example=_REPLAY), get,
        parameters=_ID,
    ),
    _read(
        _ONE + "/messages",
        "List a session's messages",
        Reply(
            200, "messages by time", models.MessagesOut, example={"messages": [_MESSAGE], "next_cursor": None}
        ),
        messages,
        query=models.MessageQuery,
        parameters=_ID,
    ),
    _read(
        _ONE + "/frames",
        "List a session's pictures",
        Reply(
            200,
            "pictures by time",
            models.FramesOut,
            example={
                "frames": [{"at_ms": 1_767_225_601_000, "bytes": 20_480, "format": "jpeg"}],
                "next_cursor": None,
            },
        ),
        frames,
        query=models.WholeListQuery,
        parameters=_ID,
    ),
    _read(
        _ONE + "/frames/{at_ms}",
        "Read one picture",
        Reply(200, "the picture as it was sent", content_type="image/*"),
        frame,
        Reply(307, "the session is live and its times have moved: what was on the screen then", content_type=""),
        query=models.FrameQuery,
        parameters={**_ID, "at_ms": "time from the list of pictures"},
    ),
    _read(
        _ONE + "/opening",
        "Read the picture that a session opens with",
        Reply(
            200,
            "what the screen showed at `t`; `Playhead-Frame` tells its time by the device's clock",
            content_type="image/*",
        ),
        opening,
        Reply(204, "there is none: it was taken later, or the session is live", content_type=""),
        query=models.OpeningQuery,
        parameters=_ID,
    ),
    _read(
        _ONE + "/poster",
        "Read a small picture of the last screen",
        Reply(200, "its long side is 320 pixels at most", content_type="image/webp"),
        poster,
        parameters=_ID,
    ),
    _read(
        _ONE + "/timeline",
        "Read what the player needs at once",
        Reply(
            200, "tracks, frame index and the session's data; gzip", models.TimelineOut, example=_TIMELINE
        ),
        timeline,
        parameters=_ID,
    ),
    Operation(
        "PATCH",
        _ONE,
        "Pin a session: retention keeps it, and its pictures are the last to go when the disk is full",
        "replays",
        Access.WRITE,
        (Reply(200, "the session", models.ReplayOut, example=_REPLAY),),
        handle=change,
        body=models.ReplayChanges,
        body_example={"pinned": True},
        refusals=(400, 404, 413, 415, 422, 503),
        parameters=_ID,
    ),
    Operation(
        "DELETE",
        _ONE,
        "Erase a session",
        "replays",
        Access.WRITE,
        (Reply(204, "erased", content_type=""),),
        handle=delete,
        refusals=(404, 503),
        parameters=_ID,
    ),
)  # fmt: skip
