"""`playhead doctor`: looks at every setting and every service reached, says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cache import open_cache
from playhead.database import with_database
from playhead.errors import PlayheadError
from playhead.secrets import ADMIN_KEY, TOKEN_SECRET, secret_path
from playhead.settings import PREFIX, Settings
from storage import ledger
from storage.migrate import pending
from storage.notices import notify, open_notices
from storage.objects import open_objects
from storage.postgres import Database, open_pool

LOW_SPACE_BYTES = 2_000_000_000
CHECK_TIMEOUT_S = 15.0
LAG_S = 60.0
CLOCK_SLACK_MS = 2_000
MIN_OPEN_FILES = 4_096

SEGMENTS = """
SELECT count(*) AS count, min(created_ms) AS oldest_ms, max(attempts) AS attempts,
       (array_agg(last_error) FILTER (WHERE last_error IS NOT NULL))[1] AS last_error
FROM segments WHERE state = 'pending'
"""
OVERDUE = "SELECT count(*) FROM sessions WHERE due_ms < $1"
LETTERS = """
SELECT count(*) FILTER (WHERE retried_ms IS NULL) AS open, max(reason) AS reason FROM dead_letters
"""
NAMES = "SELECT project_id, project_key FROM projects"


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"  # worth knowing
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check; `mend` says what to do if it is not ok."""

    name: str
    state: State
    detail: str
    mend: str = ""

    def to_json(self) -> dict[str, str]:
        """As plain values."""
        return asdict(self)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All findings, as they come; none of the checks raises."""
    yield _data_dir(settings)
    for finding in _secrets(settings):
        yield finding
    yield _open_files()
    if settings.geoip_path:
        yield _geoip(settings.geoip_path)
    yield await _objects(settings)
    yield await _cache(settings)
    async with AsyncExitStack() as stack:
        try:
            reached = await stack.enter_async_context(with_database(settings))
            db = await stack.enter_async_context(open_pool(reached, size=2, timeout_s=CHECK_TIMEOUT_S))
            await asyncio.wait_for(db.check(), CHECK_TIMEOUT_S)
        except (PlayheadError, OSError, TimeoutError) as problem:
            yield Finding("database", State.FAIL, _said(problem), _database_mend(settings))
            return
        yield await _asked("database", lambda: _database(db, settings))
        yield await _notices(reached)
        yield await _asked("migrations", lambda: _migrations(db))
        yield await _asked("workers", lambda: _backlog(db))
        yield await _asked("dead letters", lambda: _dead_letters(db))
        for finding in await _ledger(db):
            yield finding


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir.resolve()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = f"make it writable for this user, or set {PREFIX}DATA_DIR"
        return Finding("data directory", State.FAIL, f"{there} cannot be written", mend)
    free = shutil.disk_usage(there).free
    if free < LOW_SPACE_BYTES:
        mend = "free some space, or lower the projects' retention_days"
        return Finding("data directory", State.FAIL, f"{folder}: {free // 10**6} MB free", mend)
    return Finding("data directory", State.OK, f"{folder}, {free / 10**9:.0f} GB free")


def _secrets(settings: Settings) -> list[Finding]:
    found = []
    for setting, name in (("token_secrets", TOKEN_SECRET), ("admin_key", ADMIN_KEY)):
        path = secret_path(settings.data_dir, name)
        shown = name.replace("_", " ")
        if getattr(settings, setting):
            found.append(Finding(shown, State.OK, "set"))
        elif path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found.append(Finding(shown, State.FAIL, f"{path} can be read by others", f"chmod 600 {path}"))
        elif settings.database_url:
            mend = f"set {PREFIX}{setting.upper()} to the same value on every machine"
            found.append(Finding(shown, State.NOTE, f"made on this machine alone ({path})", mend))
        else:
            found.append(Finding(shown, State.OK, f"{path}" if path.exists() else "made at the first start"))
    return found


def _open_files() -> Finding:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < MIN_OPEN_FILES:
        mend = f"raise the limit (ulimit -Hn) to {MIN_OPEN_FILES} or more"
        return Finding("open files", State.NOTE, f"at most {hard}: few connections at once", mend)
    return Finding("open files", State.OK, f"at most {hard}")


def _geoip(path: str) -> Finding:
    import maxminddb

    try:
        with maxminddb.open_database(path) as reader:
            return Finding("geo database", State.OK, str(reader.metadata().database_type))
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as problem:
        mend = f"point {PREFIX}GEOIP_PATH to a GeoLite2 City .mmdb file, or leave it empty"
        return Finding("geo database", State.FAIL, f"{path}: {_said(problem)}", mend)


async def _objects(settings: Settings) -> Finding:
    where = settings.objects_location
    try:
        async with open_objects(settings) as objects:
            await asyncio.wait_for(objects.check(), CHECK_TIMEOUT_S)
    except Exception as problem:
        local = where.startswith("file:")
        mend = (
            "make the folder writable"
            if local
            else "check bucket, endpoint, AWS_* credentials and their rights"
        )
        return Finding("object store", State.FAIL, f"{where}: {_said(problem)}", mend)
    spool = _folder_bytes(settings.data_dir / "spool")
    if spool:
        mend = "nothing, if the object store was away a moment ago; a running process uploads it"
        return Finding("object store", State.NOTE, f"{where}; {spool} bytes wait in the spool", mend)
    return Finding("object store", State.OK, f"{where}: written, read and deleted")


async def _cache(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("shared cache", State.OK, "none: memory alone")
    try:
        async with open_cache(settings) as cache:
            problem = await asyncio.wait_for(cache.check(), CHECK_TIMEOUT_S)
    except Exception as error:
        problem = _said(error)
    if problem:
        mend = f"start Redis, or check {PREFIX}REDIS_URL; without it the database answers more questions"
        return Finding("shared cache", State.FAIL, problem, mend)
    return Finding("shared cache", State.OK, "Redis answers")


async def _database(db: Database, settings: Settings) -> Finding:
    row = await db.fetchrow(
        "SELECT current_setting('server_version') AS version, current_setting('max_connections')::int AS most, "
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms"
    )
    apart = abs(row["now_ms"] - time.time_ns() // 1_000_000)
    if apart > CLOCK_SLACK_MS:
        detail = f"its clock and ours are {apart / 1000:.1f} s apart"
        return Finding("database", State.NOTE, detail, "keep the clocks of all machines in step (NTP)")
    processes = settings.http_processes + settings.worker_processes
    needed = processes * (settings.database_pool_size + 1)
    if needed > row["most"]:
        mend = f"lower {PREFIX}DATABASE_POOL_SIZE or raise max_connections of Postgres"
        return Finding("database", State.NOTE, f"{needed} connections wanted, {row['most']} allowed", mend)
    return Finding("database", State.OK, f"Postgres {row['version']}")


async def _notices(settings: Settings) -> Finding:
    """Whether a notice comes back: by these processes tell one another what changed."""
    heard = asyncio.Event()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), open_notices(settings) as notices:
            await notices.subscribe("playhead_doctor", lambda _: heard.set())
            async with open_pool(settings, size=1, timeout_s=CHECK_TIMEOUT_S) as db:
                await notify(db, "playhead_doctor")  # over another connection, as other processes do
                await heard.wait()
    except (PlayheadError, OSError, TimeoutError) as problem:
        mend = "reach Postgres directly, or through a pooler that pools by session"
        return Finding("notices", State.FAIL, _said(problem), mend)
    return Finding("notices", State.OK, "what one process is told, the others hear")


async def _migrations(db: Database) -> Finding:
    missing = await pending(db)
    if missing:
        return Finding("migrations", State.FAIL, f"missing: {', '.join(missing)}", "playhead migrate")
    return Finding("migrations", State.OK, "the schema is up to date")


async def _backlog(db: Database) -> Finding:
    row = await db.fetchrow(SEGMENTS)
    now_ms = time.time_ns() // 1_000_000
    overdue = await db.fetchval(OVERDUE, now_ms - int(LAG_S * 5000))
    if row["count"] and now_ms - row["oldest_ms"] > LAG_S * 1000:
        age_s = (now_ms - row["oldest_ms"]) // 1000
        why = f"; last error: {row['last_error']}" if row["last_error"] else ""
        detail = f"{row['count']} segments wait, the oldest for {age_s} s{why}"
        return Finding(
            "workers", State.FAIL, detail, "run a worker (`playhead serve` or `playhead work`), see its log"
        )
    if overdue:
        detail = f"{overdue} sessions wait for their recording"
        return Finding("workers", State.FAIL, detail, "run a worker, see its log for recording_failed")
    return Finding("workers", State.OK, f"{row['count']} segments in work")


async def _dead_letters(db: Database) -> Finding:
    row = await db.fetchrow(LETTERS)
    if row["open"]:
        mend = "playhead dead-letters list, then show and retry"
        return Finding("dead letters", State.NOTE, f"{row['open']} records could not be processed", mend)
    return Finding("dead letters", State.OK, "none")


async def _ledger(db: Database) -> list[Finding]:
    try:
        names = {row["project_id"]: row["project_key"] for row in await db.fetch(NAMES)}
        balances = await ledger.balances(db)
    except Exception as problem:
        return [Finding("ledger", State.FAIL, _said(problem), "playhead migrate")]
    return [_balance(names.get(each.project_id, f"#{each.project_id}"), each) for each in balances]


def _balance(project: str, balance: ledger.Balance) -> Finding:
    fates = ("stored", "duplicate", "expired", "quarantined", "pending")
    parts = " + ".join(f"{getattr(balance, fate)} {fate}" for fate in fates)
    if balance.difference:
        detail = f"{balance.accepted} accepted, but {parts}: {balance.difference:+d}"
        return Finding(
            f"ledger {project}", State.FAIL, detail, "report this with the output of `playhead doctor --json`"
        )
    return Finding(f"ledger {project}", State.OK, f"{balance.accepted} accepted = {parts}")


async def _asked(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except Exception as problem:
        return Finding(name, State.FAIL, _said(problem), "playhead migrate, then look again")


def _said(problem: BaseException) -> str:
    if isinstance(problem, TimeoutError) and not str(problem):
        return f"no answer within {CHECK_TIMEOUT_S:g} s"
    return str(problem) or type(problem).__name__


def _database_mend(settings: Settings) -> str:
    if settings.database_url:
        return f"start Postgres, or check {PREFIX}DATABASE_URL (host, user, password, database)"
    return f"see postgres/playhead.log under {settings.data_dir}"


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


async def collect(settings: Settings) -> list[Finding]:
    """All findings at once."""
    return [finding async for finding in examine(settings)]


def report(findings: list[Finding]) -> dict[str, Any]:
    """For `--json`: `healthy` unless something failed."""
    return {
        "healthy": not any(finding.state is State.FAIL for finding in findings),
        "findings": [finding.to_json() for finding in findings],
    }
