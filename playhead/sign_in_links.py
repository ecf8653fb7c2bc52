"""One-time links that sign a browser in: `<url>/sign-in#code=…`. Behind `#` no server and no preview sees the code."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from playhead.database import require_migrated
from playhead.errors import NotFound
from playhead.secrets import Secrets
from playhead.settings import Settings
from playhead.supervisor import address_path
from projects import Grant, store
from projects.sign_ins import GrantRole, issue_code
from storage.postgres import open_pool

PRINTED_TTL_MS: Final = 24 * 3_600_000  # of the link that `serve` prints


@dataclass(frozen=True, slots=True)
class Link:
    """Good once, until `ends_ms`."""

    url: str
    role: GrantRole
    project: str | None
    ends_ms: int


async def make(
    settings: Settings,
    secrets: Secrets,
    url: str,
    *,
    project: str | None = None,
    role: GrantRole = "admin",
    ttl_ms: int,
) -> Link:
    """A link to the player at `url`, for everything or for one project by its key.

    Needs the database alone. Raises NotFound, DatabaseUnavailable.
    """
    now_ms = time.time_ns() // 1_000_000
    async with open_pool(settings, size=1) as db:
        await require_migrated(db)
        grant = Grant("admin")
        if project is not None:
            found = await store.by_key(db, project)
            if found is None:
                raise NotFound("no project with this key")
            grant = Grant(role, found.project_id)
        code = await issue_code(db, grant, admin_key=secrets.admin_key, now_ms=now_ms, ttl_ms=ttl_ms)
    return Link(f"{url.rstrip('/')}/sign-in#code={code}", grant.role, project, now_ms + ttl_ms)


def address_of(settings: Settings) -> str:
    """Where browsers find the player: the public address, that of the `serve` that runs here, or host and port."""
    if settings.public_url:
        return settings.public_url
    try:
        return address_path(settings.data_dir).read_text("utf-8")
    except OSError:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return f"http://{host}:{settings.port}"
