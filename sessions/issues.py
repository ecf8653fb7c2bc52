"""SQL of issues: the findings of one session, replaced as a whole each time it is recorded, and their groups.

A group is what sessions have in common: its row in `issue_groups` is kept up to date in the transaction that
changes a session's findings, so that reading costs what a page costs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sessions.heuristics import Finding
from sessions.message_pages import corrected
from sessions.model import Session

HELD: Final = "SELECT DISTINCT fingerprint FROM issues WHERE project_id = $1 AND session_id = $2"
DELETE: Final = """
DELETE FROM issues WHERE project_id = $1 AND session_id = $2 RETURNING fingerprint, user_key
"""
INSERT: Final = """
INSERT INTO issues (
    project_id, session_id, issue_key, type, at_ms, title, fingerprint, started_ms, detail, seen_ms, user_key
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
"""
# Some locks for any number of groups, there or not yet, always taken in the same order.
LOCK: Final = "SELECT pg_advisory_xact_lock($1::int, lock) FROM unnest($2::int[]) lock"
LOCKS: Final = 64
USER_GONE: Final = """
DELETE FROM issue_users WHERE project_id = $1 AND fingerprint = ANY($2) AND user_key = $3 AND sessions = 1
RETURNING fingerprint
"""
USER_LEFT: Final = """
UPDATE issue_users SET sessions = sessions - 1
WHERE project_id = $1 AND fingerprint = ANY($2) AND user_key = $3
"""
USER_CAME: Final = """
INSERT INTO issue_users AS u (project_id, fingerprint, user_key, sessions)
SELECT $1, f, $3, 1 FROM unnest($2::bytea[]) f
ON CONFLICT (project_id, fingerprint, user_key) DO UPDATE SET sessions = u.sessions + 1
RETURNING fingerprint, sessions = 1
"""
# what is left says when and how the group was seen; both probes are of one index
LEAVE: Final = """
UPDATE issue_groups g SET
    count = g.count - d.count, sessions = g.sessions - 1, users = g.users - d.users,
    first_ms = coalesce((
        SELECT min(i.seen_ms) FROM issues i WHERE i.project_id = $1 AND i.fingerprint = g.fingerprint
    ), g.first_ms),
    last_ms = coalesce((
        SELECT max(i.seen_ms) FROM issues i WHERE i.project_id = $1 AND i.fingerprint = g.fingerprint
    ), g.last_ms),
    title = coalesce((
        SELECT i.title FROM issues i WHERE i.project_id = $1 AND i.fingerprint = g.fingerprint
        ORDER BY i.seen_ms DESC LIMIT 1
    ), g.title)
FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS d(fingerprint, count, users)
WHERE g.project_id = $1 AND g.fingerprint = d.fingerprint
"""
EMPTY: Final = "DELETE FROM issue_groups WHERE project_id = $1 AND fingerprint = ANY($2) AND sessions <= 0"
JOIN: Final = """
INSERT INTO issue_groups AS g (project_id, fingerprint, type, title, count, sessions, users, first_ms, last_ms)
SELECT $1, d.* FROM unnest(
    $2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]
) AS d
ON CONFLICT (project_id, fingerprint) DO UPDATE SET
    count = g.count + excluded.count, sessions = g.sessions + excluded.sessions,
    users = g.users + excluded.users, first_ms = least(g.first_ms, excluded.first_ms),
    last_ms = greatest(g.last_ms, excluded.last_ms),
    title = CASE WHEN excluded.last_ms >= g.last_ms THEN excluded.title ELSE g.title END
"""


@dataclass(slots=True)
class _Group:
    """What one session adds to a group."""

    type: str
    title: str
    first_ms: int
    last_ms: int
    count: int = 0


async def replace(conn: Any, session: Session, findings: Sequence[Finding], *, user: str = "") -> None:
    """Make `findings` the session's only issues, inside the caller's transaction; `user` is who it was."""
    project_id, user_key = session.project_id, user_key_of(user or session.user_id or session.user_uuid)
    await remove(conn, project_id, session.session_id, also=(f.fingerprint for f in findings))
    groups: dict[bytes, _Group] = {}
    for finding in {f.key: f for f in findings}.values():
        seen_ms = _seen_ms(session, finding.at_ms)
        held = groups.setdefault(finding.fingerprint, _Group(finding.type, finding.title, seen_ms, seen_ms))
        held.count += 1
        held.first_ms, held.last_ms = min(held.first_ms, seen_ms), max(held.last_ms, seen_ms)
    rows = [
        (
            project_id, session.session_id, f.key, f.type, min(f.at_ms, 2**62), f.title, f.fingerprint,
            session.started_ms, f.detail, _seen_ms(session, f.at_ms), user_key,
        )
        for f in findings
    ]  # fmt: skip
    await conn.executemany(INSERT, rows)
    ordered = sorted(groups.items())
    if not ordered:
        return
    prints = [fingerprint for fingerprint, _ in ordered]
    fresh = dict(await conn.fetch(USER_CAME, project_id, prints, user_key))
    await conn.execute(
        JOIN, project_id, prints, [g.type for _, g in ordered], [g.title for _, g in ordered],
        [g.count for _, g in ordered], [1] * len(ordered), [int(fresh[p]) for p in prints],
        [g.first_ms for _, g in ordered], [g.last_ms for _, g in ordered],
    )  # fmt: skip


async def remove(conn: Any, project_id: int, session_id: int, *, also: Iterable[bytes] = ()) -> int:
    """Delete a session's issues inside the caller's transaction -> how many; `also`: groups to lock with theirs.

    To be called last, for others wait for these groups until the transaction ends.
    """
    held = [row[0] for row in await conn.fetch(HELD, project_id, session_id)]
    await conn.execute(LOCK, project_id, sorted({fingerprint[0] % LOCKS for fingerprint in (*held, *also)}))
    rows = await conn.fetch(DELETE, project_id, session_id)
    by_user: dict[bytes, Counter[bytes]] = {}
    for fingerprint, user_key in rows:
        by_user.setdefault(user_key, Counter())[fingerprint] += 1
    for user_key, counts in by_user.items():
        await _leave(conn, project_id, user_key, counts)
    return len(rows)


async def _leave(conn: Any, project_id: int, user_key: bytes, counts: Counter[bytes]) -> None:
    prints = sorted(counts)
    gone = {row[0] for row in await conn.fetch(USER_GONE, project_id, prints, user_key)}
    await conn.execute(USER_LEFT, project_id, [p for p in prints if p not in gone], user_key)
    await conn.execute(
        LEAVE, project_id, prints, [counts[p] for p in prints], [int(p in gone) for p in prints]
    )
    await conn.execute(EMPTY, project_id, prints)


def user_key_of(user: str) -> bytes:
    """What tells users of a group apart, 16 bytes; the groups know no names."""
    return hashlib.sha256(user.encode()).digest()[:16]


def _seen_ms(session: Session, at_ms: int) -> int:
    """Corrected time, within what the server knows of the session: no clock of a phone says more."""
    latest = max(session.last_received_ms or session.started_ms, session.started_ms)
    return min(max(corrected(at_ms, session.clock_offset_ms or 0), session.started_ms), latest)
