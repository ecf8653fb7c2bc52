"""What was tried and what was acknowledged: the oracle's database, in a file that no fault touches.

A row of `expected` is a fact: this session (or this source of events) may show this item, and once `answered` is set
it must. Late data may be in the session `or_in` instead, where the server cannot tell where they arose. An item is
known by its place (type and device time, picture time, event id) and a digest of its content, so that changed content
is told from content that nobody sent. A fact counts from the moment its row is synced to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, session TEXT NOT NULL, sent_ms INTEGER NOT NULL,
    status INTEGER, answered_ms INTEGER);
CREATE TABLE IF NOT EXISTS expected (
    session TEXT NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL, digest TEXT NOT NULL,
    request INTEGER NOT NULL, answered INTEGER, or_in TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (session, kind, place, digest)) WITHOUT ROWID;
"""
TRIED = "INSERT INTO requests (number, kind, session, sent_ms) VALUES (?, ?, ?, ?)"
ANSWERED = "UPDATE requests SET status = ?, answered_ms = ? WHERE number = ?"
MAY = "INSERT OR IGNORE INTO expected (session, kind, place, digest, request) VALUES (?, ?, ?, ?, ?)"
MUST = """
INSERT INTO expected (session, kind, place, digest, request, answered, or_in) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET answered = coalesce(answered, excluded.answered), request = excluded.request,
    or_in = CASE WHEN answered IS NULL THEN excluded.or_in ELSE or_in END
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be found again. `kind`: session, message, picture, event."""

    session: str
    kind: str
    place: str
    digest: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; `status` is None while no answer came, 0 when none will."""

    number: int
    kind: str
    session: str
    sent_ms: int
    status: int | None
    answered_ms: int | None

    @property
    def acknowledged(self) -> bool:
        """Whether a phone takes it for success."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Expected:
    """An item, the request that brought it, and whether it must be there: in its session, or else in `or_in`."""

    item: Item
    request: int
    owed: bool
    or_in: str


def digest_of(content: Mapping[str, Any]) -> str:
    """Of JSON content, whatever the order of its members."""
    packed = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def message_item(session: str, type_: int, device_ms: int, fields: Mapping[str, Any]) -> Item:
    """A message as the API shows it."""
    return Item(session, "message", f"{type_}@{device_ms}", digest_of(fields))


def picture_item(session: str, device_ms: int, sha256: str) -> Item:
    """A picture, by the SHA-256 of its bytes."""
    return Item(session, "picture", str(device_ms), sha256[:32])


def session_item(session: str) -> Item:
    """That the session exists."""
    return Item(session, "session", "", "")


def event_item(source: str, event_id: str, content: Mapping[str, Any]) -> Item:
    """An event of another protocol; `content`: the members that its sender decides."""
    return Item(source, "event", event_id, digest_of(content))


def now_ms() -> int:
    """Of this machine's clock, which is also the server's."""
    return time.time_ns() // 1_000_000


class Book:
    """Open in any number of processes at once; made if it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(TABLES)
        self._waiting: list[tuple[list[tuple[str, list[tuple[Any, ...]]]], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._number = time.time_ns()  # request numbers of several writers do not meet

    def close(self) -> None:
        """No more of it."""
        self._db.close()

    # -- writing: returns when it is on disk

    async def tried(self, kind: str, session: str, items: Iterable[Item] = ()) -> int:
        """About to send this -> the request's number."""
        self._number += 1
        number = self._number
        rows = [(item.session, item.kind, item.place, item.digest, number) for item in items]
        await self._write([(TRIED, [(number, kind, session, now_ms())]), (MAY, rows)])
        return number

    async def answered(
        self, number: int, status: int, items: Iterable[Item] = (), *, or_in: str = ""
    ) -> None:
        """The answer came (0: it will not). After a 2xx the items must be there for ever."""
        answered_ms = now_ms()
        rows = []
        if 200 <= status < 300:
            rows = [(i.session, i.kind, i.place, i.digest, number, answered_ms, or_in) for i in items]
        await self._write([(MUST, rows), (ANSWERED, [(status, answered_ms, number)])])

    async def _write(self, statements: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_groups())
        await done

    async def _write_groups(self) -> None:
        """One transaction for all that came while the one before was written."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await asyncio.to_thread(
                    self._commit, [each for statements, _ in group for each in statements]
                )
                for _, done in group:
                    if not done.done():
                        done.set_result(None)
        finally:
            self._writing = None

    def _commit(self, statements: list[tuple[str, list[tuple[Any, ...]]]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for statement, rows in statements:
            self._db.executemany(statement, rows)
        self._db.execute("COMMIT")

    # -- reading

    def obligations(self) -> Counter[str]:
        """How many items of each kind were acknowledged so far."""
        rows = self._db.execute("SELECT kind, count(*) FROM expected WHERE answered IS NOT NULL GROUP BY 1")
        return Counter(dict(rows.fetchall()))

    def statuses(self, kind: str = "") -> Counter[int]:
        """How requests (of that kind) were answered; 0: not at all. Those under way are left out."""
        rows = self._db.execute(
            "SELECT status, count(*) FROM requests WHERE status IS NOT NULL AND ? IN ('', kind) GROUP BY 1",
            (kind,),
        )
        return Counter(dict(rows.fetchall()))

    def requests(self) -> dict[int, Sent]:
        """All of them, by number."""
        columns = "number, kind, session, sent_ms, status, answered_ms"
        return {row[0]: Sent(*row) for row in self._db.execute(f"SELECT {columns} FROM requests")}

    def sessions(self) -> list[str]:
        """Those that were given or must show something."""
        query = "SELECT DISTINCT session FROM expected WHERE kind != 'event' ORDER BY 1"
        return [row[0] for row in self._db.execute(query)]

    def sources(self) -> list[str]:
        """Sources of events."""
        return [
            row[0] for row in self._db.execute("SELECT DISTINCT session FROM expected WHERE kind = 'event'")
        ]

    def expected(self, session: str) -> Iterator[Expected]:
        """What this session (or source) may show."""
        query = "SELECT kind, place, digest, request, answered, or_in FROM expected WHERE session = ?"
        for kind, place, digest, request, answered, or_in in self._db.execute(query, (session,)):
            yield Expected(Item(session, kind, place, digest), request, answered is not None, or_in)


@contextlib.contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """For the length of a block."""
    book = Book(path)
    try:
        yield book
    finally:
        book.close()
