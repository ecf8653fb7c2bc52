"""What a batch of records changes in `sessions`: merged per session, one statement, one by one if that fails.

Every column but three commutes (sums, extremes, "the start record wins"): updates may come in any order. Of
`user_id`, `anonymous_id` and each key of `metadata` the value written last stays, until the finalizer, who
sees the whole recording, corrects it. Counters are added as given: only what was inserted may be in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import orjson

from playhead.errors import DatabaseUnavailable
from projects.user_keys import MAX_USER_ID
from sessions.ids import started_ms
from sessions.model import COUNTERS, MAX_USER_UUID, SessionStart, clamp_ms, clean_text

MAX_METADATA: Final = 100  # keys that one update may bring


@dataclass(slots=True)
class SessionUpdate:
    """Changes of one session. Counters are differences; None and "" mean: nothing said."""

    project_id: int
    session_id: int
    started_ms: int = -1  # taken from the session id unless given
    start: SessionStart | None = None
    platform: str = ""
    user_uuid: str = ""
    legacy: bool = False
    continues: int | None = None
    user_id: str = ""
    anonymous_id: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    device_first_ms: int | None = None
    device_last_ms: int | None = None
    clock_offset_ms: int | None = None
    first_received_ms: int | None = None
    last_received_ms: int | None = None
    due_ms: int | None = None
    messages: int = 0
    events: int = 0
    clicks: int = 0
    swipes: int = 0
    inputs: int = 0
    views: int = 0
    network: int = 0
    network_errors: int = 0
    logs: int = 0
    crashes: int = 0
    frames: int = 0
    bytes: int = 0

    def __post_init__(self) -> None:
        if self.started_ms < 0:
            self.started_ms = started_ms(self.session_id)

    def seen(self, device_ms: int) -> None:
        """Widens the span of device times by one message's time."""
        self.device_first_ms = _least(self.device_first_ms, device_ms)
        self.device_last_ms = _most(self.device_last_ms, device_ms)

    def received(self, received_ms: int, *, due_ms: int | None = None) -> None:
        """Notes an arrival (server's clock) and when the session may be finalized after it."""
        self.first_received_ms = _least(self.first_received_ms, received_ms)
        self.last_received_ms = _most(self.last_received_ms, received_ms)
        self.due_ms = _most(self.due_ms, due_ms)

    def offset(self, clock_offset_ms: int) -> None:
        """Notes one sample of received - batch meta time; the least delay wins."""
        self.clock_offset_ms = _least(self.clock_offset_ms, clock_offset_ms)

    def add(self, later: SessionUpdate) -> None:
        """Takes up a later update of the same session."""
        self.start = self.start or later.start
        self.platform = max(self.platform, later.platform)
        self.user_uuid = max(self.user_uuid, later.user_uuid)
        self.legacy = self.legacy or later.legacy
        self.continues = _least(self.continues, later.continues)
        self.user_id = later.user_id or self.user_id
        self.anonymous_id = later.anonymous_id or self.anonymous_id
        self.metadata = {**self.metadata, **later.metadata}
        self.device_first_ms = _least(self.device_first_ms, later.device_first_ms)
        self.device_last_ms = _most(self.device_last_ms, later.device_last_ms)
        self.clock_offset_ms = _least(self.clock_offset_ms, later.clock_offset_ms)
        self.first_received_ms = _least(self.first_received_ms, later.first_received_ms)
        self.last_received_ms = _most(self.last_received_ms, later.last_received_ms)
        self.due_ms = _most(self.due_ms, later.due_ms)
        for name in COUNTERS:
            setattr(self, name, getattr(self, name) + getattr(later, name))


@dataclass(frozen=True, slots=True)
class Failed:
    """An update that the database cannot hold; `reason` is its word for it, without values."""

    update: SessionUpdate
    reason: str


def merge(updates: Iterable[SessionUpdate]) -> list[SessionUpdate]:
    """One update per session, in the order of the keys, so that transactions lock rows in one order."""
    merged: dict[tuple[int, int], SessionUpdate] = {}
    for update in updates:
        key = update.project_id, update.session_id
        if key in merged:
            merged[key].add(update)
        else:
            fresh = SessionUpdate(update.project_id, update.session_id, update.started_ms)
            fresh.add(update)
            merged[key] = fresh
    return [merged[key] for key in sorted(merged)]


async def apply_updates(conn: Any, updates: Iterable[SessionUpdate]) -> list[Failed]:
    """Writes all updates inside the caller's transaction; returns those whose own content forbids it.

    `conn` is an asyncpg connection in a transaction. Errors that are not an update's fault (connection,
    deadlock, timeout) are raised: then the whole transaction has to be tried again.
    """
    waiting = merge(updates)
    if not waiting:
        return []
    try:
        await _write(conn, waiting)
        return []
    except Exception as problem:
        if not _own_fault(problem):
            raise
    failed: list[Failed] = []
    for update in waiting:
        try:
            await _write(conn, [update])
        except Exception as problem:
            if not _own_fault(problem):
                raise
            failed.append(Failed(update, _reason(problem)))
    return failed


async def _write(conn: Any, updates: Sequence[SessionUpdate]) -> None:
    """One statement in a savepoint of its own."""
    rows = orjson.dumps([_row(update) for update in updates]).decode()
    try:
        async with conn.transaction():
            await conn.execute(_UPSERT, rows)
    except asyncpg.InterfaceError as problem:  # the driver's own word for a connection that is gone
        raise DatabaseUnavailable(f"database: {problem}") from problem


def _own_fault(problem: Exception) -> bool:
    """Whether the values are to blame: SQLSTATE classes 22, 23, 54, or a number that JSON cannot hold."""
    if isinstance(problem, asyncpg.PostgresError):
        return str(getattr(problem, "sqlstate", ""))[:2] in {"22", "23", "54"}
    return isinstance(problem, orjson.JSONEncodeError)


def _reason(problem: Exception) -> str:
    return f"{type(problem).__name__} {getattr(problem, 'sqlstate', '')}".strip()


def _row(update: SessionUpdate) -> dict[str, Any]:
    """The members of _UPSERT's recordset; what the start record says wins over what a token says."""
    start = update.start or SessionStart()
    row: dict[str, Any] = {name: getattr(start, name) for name in (*_TEXTS, *_SIZES)}
    row |= {name: getattr(update, name) for name in COUNTERS}
    metadata = list(update.metadata.items())[-MAX_METADATA:]
    return row | {
        "project_id": update.project_id,
        "session_id": update.session_id,
        "started_ms": update.started_ms,
        "known": update.start is not None,
        "platform": start.platform or clean_text(update.platform),
        "user_uuid": start.user_uuid or clean_text(update.user_uuid, MAX_USER_UUID),
        "legacy": start.legacy or update.legacy,
        "continues": _least(start.continues, update.continues),
        "user_id": clean_text(update.user_id, MAX_USER_ID),
        "anonymous_id": clean_text(update.anonymous_id, MAX_USER_ID),
        "metadata": {clean_text(key): clean_text(value, MAX_USER_ID) for key, value in metadata},
        "start_info": start.info,
        "device_start_ms": clamp_ms(start.device_start_ms),
        "device_first_ms": clamp_ms(update.device_first_ms),
        "device_last_ms": clamp_ms(update.device_last_ms),
        "clock_offset_ms": clamp_ms(update.clock_offset_ms),
        "first_received_ms": update.first_received_ms,
        "last_received_ms": update.last_received_ms,
        "due_ms": update.due_ms,
    }


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


_TEXTS: Final = (
    "device_model",
    "device_name",
    "device_type",
    "os",
    "os_version",
    "tracker_version",
    "revision",
    "timezone",
    "country",
    "state",
    "city",
)
_SIZES: Final = ("memory_kb", "width", "height")
_LEAST: Final = ("continues", "device_first_ms", "clock_offset_ms", "first_received_ms")
_MOST: Final = ("device_last_ms", "last_received_ms", "due_ms")


def _duration(device_last: str, offset: str, last_received: str, started: str) -> str:
    """How long the session is known to have lasted: corrected device time, never past the last arrival."""
    return f"greatest(least({device_last} + {offset}, {last_received}) - {started}, 0)"


def _upsert() -> str:
    """INSERT … ON CONFLICT over a jsonb recordset $1, columns and rules from the tables above."""
    typed = {"project_id": "integer", "session_id": "bigint", "started_ms": "bigint", "known": "boolean"}
    typed |= dict.fromkeys(("platform", "user_uuid", "user_id", "anonymous_id", *_TEXTS), "text")
    typed |= {"memory_kb": "bigint", "width": "integer", "height": "integer"}
    typed |= {"metadata": "jsonb", "start_info": "jsonb", "legacy": "boolean", "device_start_ms": "bigint"}
    typed |= dict.fromkeys((*_LEAST, *_MOST, *COUNTERS), "bigint")
    rules = {name: f"least(s.{name}, excluded.{name})" for name in _LEAST}
    rules |= {name: f"greatest(s.{name}, excluded.{name})" for name in _MOST}
    rules |= {name: f"s.{name} + excluded.{name}" for name in COUNTERS}
    for name in ("user_id", "anonymous_id"):
        rules[name] = f"coalesce(nullif(excluded.{name}, ''), s.{name})"
    for name in ("platform", "user_uuid"):
        rules[name] = f"""CASE
            WHEN excluded.known AND NOT s.known AND excluded.{name} <> '' THEN excluded.{name}
            WHEN s.known AND s.{name} <> '' THEN s.{name}
            ELSE greatest(s.{name}, excluded.{name}) END"""
    for name in (*_TEXTS, *_SIZES, "start_info", "device_start_ms"):
        rules[name] = f"CASE WHEN excluded.known AND NOT s.known THEN excluded.{name} ELSE s.{name} END"
    rules |= {name: f"s.{name} OR excluded.{name}" for name in ("known", "legacy")}
    # a hostile app cannot make the row grow without end
    rules["metadata"] = (
        "CASE WHEN pg_column_size(s.metadata) > 65536 THEN s.metadata ELSE s.metadata || excluded.metadata END"
    )
    rules["revision_no"] = "s.revision_no + 1"
    rules["duration_ms"] = _duration(
        rules["device_last_ms"], rules["clock_offset_ms"], rules["last_received_ms"], "s.started_ms"
    )
    duration = _duration("device_last_ms", "clock_offset_ms", "last_received_ms", "started_ms")
    return f"""
        INSERT INTO sessions AS s ({", ".join(typed)}, revision_no, duration_ms)
        SELECT {", ".join(typed)}, 1, {duration}
        FROM jsonb_to_recordset($1::text::jsonb) AS u({", ".join(f"{n} {t}" for n, t in typed.items())})
        ORDER BY project_id, session_id
        ON CONFLICT (project_id, session_id) DO UPDATE SET {", ".join(f"{n} = {r}" for n, r in rules.items())}
    """


_UPSERT: Final = _upsert()
