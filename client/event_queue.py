"""Events that wait to be sent: in memory, or in a SQLite file that survives the process."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL)"
)


class QueueFull(Exception):
    """More events wait than the client may hold."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event as JSON; `seq` grows with every event of this queue."""

    seq: int
    event: bytes


class EventQueue:
    """First in, first out; thread-safe. Without a path nothing survives the process.

    Several processes may share a file: each may send what the others kept, so a length is only what is known of it.
    """

    def __init__(self, path: Path | None, *, max_events: int) -> None:
        self._lock = threading.Lock()
        self._max_events = max_events
        self.persistent = path is not None
        self._db = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None, timeout=30
        )
        if path is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # survives the process, whatever becomes of it
        self._db.execute(_CREATE)
        self._count = self._counted()

    def __len__(self) -> int:
        return self._count

    def put(self, event: bytes) -> int:
        """Keep an event -> its place. Raises QueueFull."""
        with self._lock:
            if self._count >= self._max_events:
                self._count = self._counted()
            if self._count >= self._max_events:
                raise QueueFull(f"{self._count} events wait already")
            place = self._db.execute("INSERT INTO waiting (event) VALUES (?)", (event,)).lastrowid
            self._count += 1
            return place or 0

    def first(self, count: int, size: int) -> list[Waiting]:
        """The oldest events: at most `count`, at most `size` bytes unless one alone is larger."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, event FROM waiting ORDER BY seq LIMIT ?", (count,)
            ).fetchall()
            if not rows:
                self._count = 0
        found: list[Waiting] = []
        for seq, event in rows:
            size -= len(event) + 1
            if found and size < 0:
                break
            found.append(Waiting(seq, event))
        return found

    def drop(self, waiting: list[Waiting]) -> None:
        """These are sent, or never will be."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                places = [(each.seq,) for each in waiting]
                self._count -= self._db.executemany("DELETE FROM waiting WHERE seq = ?", places).rowcount
                if self._count <= 0:
                    self._count = self._counted()
            finally:
                self._db.execute("COMMIT")

    def waits_up_to(self, seq: int) -> bool:
        """Whether any event up to this place is still here."""
        with self._lock:
            row = self._db.execute("SELECT 1 FROM waiting WHERE seq <= ? LIMIT 1", (seq,)).fetchone()
        return row is not None

    def last(self) -> int:
        """The place of the newest event, 0 if none waits."""
        with self._lock:
            return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM waiting").fetchone()[0])

    def _counted(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def close(self) -> None:
        """Nothing may be asked afterwards."""
        with self._lock:
            self._db.close()
