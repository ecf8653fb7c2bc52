"""The timeline: what the player loads in one request. Columns per track, device times; pure.

Times are the device's clock, ms; `clock_offset_ms` of the replay corrects them. `i` is a message's place in the
recording (`index` in `/messages`), by which the player asks for what is too large to be here (bodies, payloads).

The track `collected` is joined when a timeline is read: events of other protocols that name the session or one of its
users. They were never told by the device's clock alone, so `t` is their corrected time less the session's
`clock_offset_ms`: the one rule for all tracks, `t + clock_offset_ms` is the corrected time, holds for them too. Their
`i` is -1: they are no messages of the recording; `id` names them in `GET /api/v1/events/{id}`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple

import orjson

from messages import Message
from sessions.heuristics import Finding
from sessions.recording import FORMATS, StoredFrame

VERSION = 1
TEXT_CHARS = 500

Column = tuple[str, Callable[[Sequence[Any]], list[Any]]]  # its name, and its values from a track's messages

#: `i` of what is no message of the recording
NO_MESSAGE: Final = -1


class CollectedEvent(NamedTuple):
    """An event of another protocol: corrected time (µs), and what the timeline shows of it."""

    at_us: int
    source: str
    category: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Events that belong to a session, by time; `truncated`: there are more of them."""

    events: Sequence[CollectedEvent] = ()
    truncated: bool = False

    def as_track(self, clock_offset_ms: int) -> bytes:
        """The member of `tracks`, `"collected":{…}`; empty without events."""
        if not self.events:
            return b""
        columns = {
            "t": [event.at_us // 1000 - clock_offset_ms for event in self.events],
            "i": [NO_MESSAGE] * len(self.events),
            "source": [event.source for event in self.events],
            "category": [event.category[:TEXT_CHARS] for event in self.events],
            "name": [event.name[:TEXT_CHARS] for event in self.events],
            "id": [event.id for event in self.events],
        }
        return b'"collected":' + orjson.dumps(columns)


def _text(name: str) -> Column:
    read = attrgetter(name)
    return name, lambda messages: [text[:TEXT_CHARS] for text in map(read, messages)]


def _value(name: str) -> Column:
    read = attrgetter(name)
    return name, lambda messages: list(map(read, messages))


def _screens(views: Sequence[Any]) -> list[str]:
    return [getattr(view, "screen_name", getattr(view, "title", ""))[:TEXT_CHARS] for view in views]


def _visible(views: Sequence[Any]) -> list[bool]:
    return [view.TYPE != 99 and getattr(view, "visible", True) for view in views]


@dataclass(frozen=True, slots=True)
class Track:
    """One kind of row: its name and the columns beside `t` and `i`."""

    name: str
    columns: tuple[Column, ...]


_VIEWS = Track("views", (("screen", _screens), _text("view_name"), ("visible", _visible)))

TRACKS: dict[int, Track] = {
    92: Track("metadata", (_text("key"), _text("value"))),
    93: Track("events", (_text("name"), _text("payload"))),
    94: Track("users", (_text("id"),)),
    95: Track("anonymous", (_text("id"),)),
    96: Track("screens", (_value("x"), _value("y"), _value("width"), _value("height"))),
    97: Track("crashes", (_text("name"), _text("reason"))),
    98: _VIEWS,
    99: _VIEWS,
    100: Track("taps", (_text("label"), _value("x"), _value("y"))),
    101: Track("inputs", (_text("label"), _text("value"), _value("value_masked"))),
    102: Track("performance", (_text("name"), _value("value"))),
    103: Track("logs", (_text("severity"), _text("content"))),
    104: Track("errors", (_text("content"),)),
    105: Track("network", (_text("method"), _text("url"), _value("status"), _value("duration"))),
    106: Track("swipes", (_text("label"), _value("x"), _value("y"), _text("direction"))),
    109: Track("graphql", (_text("operation_kind"), _text("operation_name"), _value("duration"))),
}


def tracks_of(messages: Sequence[tuple[int, int, Message]]) -> dict[str, dict[str, list[Any]]]:
    """(place, device time, message) in recording order -> columns by track name."""
    found: dict[str, tuple[Track, list[tuple[int, int, Message]]]] = {}
    for row in messages:
        track = TRACKS.get(row[2].TYPE)
        if track is not None:
            found.setdefault(track.name, (track, []))[1].append(row)
    return {name: _columns(track, rows) for name, (track, rows) in found.items()}


def _columns(track: Track, rows: list[tuple[int, int, Message]]) -> dict[str, list[Any]]:
    own = [message for _, _, message in rows]
    times = {"t": [at_ms for _, at_ms, _ in rows], "i": [place for place, _, _ in rows]}
    return times | {name: read(own) for name, read in track.columns}


def _first_copies(frames: Sequence[StoredFrame]) -> list[int]:
    """For each picture the first one with the same content: a player fetches and decodes that one alone."""
    first: dict[tuple[int, int, int], int] = {}
    return [first.setdefault((f.object_no, f.offset, f.length), place) for place, f in enumerate(frames)]


def timeline_of(
    messages: Sequence[tuple[int, int, Message]],
    frames: Sequence[StoredFrame],
    findings: Sequence[Finding],
    completeness: dict[str, Any],
) -> dict[str, Any]:
    """The stored part of a timeline; the replay's own data is put beside it when it is read."""
    return {
        "version": VERSION,
        "tracks": tracks_of(messages),
        "frames": {
            "t": [frame.at_ms for frame in frames],
            "bytes": [frame.length for frame in frames],
            "format": [FORMATS.index(frame.format) for frame in frames],
            "formats": list(FORMATS),
            "same": _first_copies(frames),
        },
        "issues": [{"type": f.type, "t": f.at_ms, "title": f.title, "detail": f.detail} for f in findings],
        "completeness": completeness,
    }
