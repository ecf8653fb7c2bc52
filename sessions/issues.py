"""SQL of issues: the findings of one session, replaced as a whole each time it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessions.heuristics import Finding
from sessions.model import Session

DELETE = "DELETE FROM issues WHERE project_id = $1 AND session_id = $2"
INSERT = """
INSERT INTO issues (project_id, session_id, issue_key, type, at_ms, title, fingerprint, started_ms, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""


async def replace(conn: Any, session: Session, findings: Sequence[Finding]) -> None:
    """Make `findings` the session's only issues."""
    await conn.execute(DELETE, session.project_id, session.session_id)
    await conn.executemany(
        INSERT,
        [
            (
                session.project_id, session.session_id, f.key, f.type, min(f.at_ms, 2**62), f.title, f.fingerprint,
                session.started_ms, f.detail,
            )
            for f in findings
        ],
    )  # fmt: skip
