"""What a Hamustro client must not forget, in one SQLite file: unsent events, serial numbers, times, names.

Several threads and processes may share a file. Source: spec/hamustro.md 9.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sessions (session TEXT PRIMARY KEY, last_nr INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS collections (
    collection_id INTEGER PRIMARY KEY, fields TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS payloads (
    payload_id INTEGER PRIMARY KEY AUTOINCREMENT, collection_id INTEGER NOT NULL, payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payloads_by_collection ON payloads (collection_id, payload_id);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_NEXT_NR: Final = """
INSERT INTO sessions (session, last_nr) VALUES (?, 1)
ON CONFLICT (session) DO UPDATE SET last_nr = last_nr + 1 RETURNING last_nr
"""
_COLLECTION: Final = """
INSERT INTO collections (fields) VALUES (?) ON CONFLICT (fields) DO UPDATE SET fields = fields
RETURNING collection_id
"""
_BUSY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Unsent:
    """Events of one collection that are to go out together, and its fields; `more`: others of it wait behind them."""

    payload_ids: tuple[int, ...]
    fields: dict[str, Any]
    payloads: tuple[dict[str, Any], ...]
    more: bool


class Queue:
    """The file. All of it is durable when a method returns."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)

    def close(self) -> None:
        """Ends the use of the file."""
        with self._lock:
            self._db.close()

    def add(self, fields: dict[str, Any], payload: dict[str, Any]) -> int:
        """Keeps an event under the next serial number of its session -> that number (`nr`), from 1, never reset."""
        with self._transaction():
            (nr,) = self._db.execute(_NEXT_NR, (fields["session"],)).fetchone()
            (collection_id,) = self._db.execute(_COLLECTION, (_text(fields),)).fetchone()
            self._db.execute(
                "INSERT INTO payloads (collection_id, payload) VALUES (?, ?)",
                (collection_id, _text({**payload, "nr": nr})),
            )
        return int(nr)

    def count(self) -> int:
        """Events not sent yet, of all sessions."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM payloads").fetchone()[0])

    def unsent(self, most: int, most_bytes: int) -> list[Unsent]:
        """The oldest events of every collection that has any: at most `most`, and of `most_bytes` unless it is one."""
        with self._lock:
            found = self._db.execute("SELECT DISTINCT collection_id FROM payloads ORDER BY 1").fetchall()
            return [self._unsent(collection_id, most, most_bytes) for (collection_id,) in found]

    def _unsent(self, collection_id: int, most: int, most_bytes: int) -> Unsent:
        (fields,) = self._db.execute(
            "SELECT fields FROM collections WHERE collection_id = ?", (collection_id,)
        ).fetchone()
        rows = self._db.execute(
            "SELECT payload_id, payload FROM payloads WHERE collection_id = ? ORDER BY payload_id",
            (collection_id,),
        )
        ids: list[int] = []
        payloads: list[dict[str, Any]] = []
        more = False
        for payload_id, payload in rows:
            most_bytes -= len(payload.encode())
            if payloads and (len(payloads) == most or most_bytes < 0):
                more = True
                break
            ids.append(payload_id)
            payloads.append(json.loads(payload))
        return Unsent(tuple(ids), json.loads(fields), tuple(payloads), more)

    def sent(self, unsent: Unsent, at_s: float) -> None:
        """Forgets events that the collector has, and notes the time."""
        with self._transaction():
            ids = [(payload_id,) for payload_id in unsent.payload_ids]
            self._db.executemany("DELETE FROM payloads WHERE payload_id = ?", ids)
            self._set("last_sync_s", repr(at_s))

    def last_sync_s(self) -> float | None:
        """When events were last sent, epoch seconds."""
        value = self.get("last_sync_s")
        return float(value) if value else None

    def lease(self, now_s: float, until_s: float) -> bool:
        """Whether the caller alone may send until then; a lease lasts until it is given back or over."""
        with self._transaction():
            held = float(self._get("sending_until_s") or 0)
            if now_s < held <= now_s + 10 * (until_s - now_s):  # a clock set back must not lock us out
                return False
            self._set("sending_until_s", repr(until_s))
            return True

    def give_back(self) -> None:
        """Ends the lease."""
        self.set("sending_until_s", "0")

    def get(self, name: str) -> str:
        """A kept value, empty if there is none."""
        with self._lock:
            return self._get(name)

    def set(self, name: str, value: str) -> None:
        """Keeps a value."""
        with self._transaction():
            self._set(name, value)

    def _get(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace").decode()
