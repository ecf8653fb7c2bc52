"""What `bench_search` looks through: sessions as the workers leave them, made inside Postgres.

Twelve projects, one with nine sessions of ten, over 30 days. A few users have thousands of sessions and most a handful;
of every kind of value some are common and some rare; about 42 search terms and 50 events a session, issues in one of
fifty.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from storage.postgres import Database

DAYS: Final = 30
DAY_MS: Final = 86_400_000
#: midnight of 1 January 2026
BEGIN_MS: Final = 1_767_225_600_000
FIRST_DAY: Final = datetime.date(2026, 1, 1)
EVENTS: Final = 50  # of a session
SLICE: Final = 50_000  # sessions written by one statement
TIMEOUT_S: Final = 1_800
#: of the fill alone: sorting for the indexes, and nothing is read by others yet
FAST: Final = (
    "SET statement_timeout = 0; SET maintenance_work_mem = '700MB'; SET work_mem = '64MB'; "
    "SET synchronous_commit = off"
)

ROLL: Final = """
CREATE OR REPLACE FUNCTION roll(n bigint, seed integer) RETURNS float8 IMMUTABLE LANGUAGE sql
AS 'SELECT (hashint8extended($1, $2) & 4294967295)::float8 / 4294967296'
"""
#: the n-th of $1 sessions, for n from $2 to $3
SESSION: Final = f"""
SELECT n, p AS project_id, ms AS started_ms, ((ms - 1550000000000) << 24) | (n & 16777215) AS session_id,
    date '{FIRST_DAY}' + ((ms - {BEGIN_MS}) / {DAY_MS})::int AS day,
    CASE WHEN n % 3 = 0 THEN 'android' ELSE 'ios' END AS platform,
    trunc($1 / 3 * roll(n, 1) ^ 3)::bigint AS u, trunc(40 * roll(n, 2) ^ 2)::int AS model,
    CASE WHEN n % 50000 = 7 THEN 'TV' ELSE chr(65 + trunc(20 * roll(n, 3) ^ 3)::int) || 'E' END AS country,
    trunc(8 * roll(n, 4) ^ 2)::int AS version,
    trunc(1000 * exp(8 * roll(n, 5)))::bigint AS duration_ms, trunc(400 * roll(n, 6) ^ 4)::bigint AS counted
FROM (
    SELECT n, {BEGIN_MS} + n * ({DAYS}::bigint * {DAY_MS}) / $1 AS ms,
        CASE WHEN n % 100 < 90 THEN 1 WHEN n % 100 < 96 THEN 2 ELSE 3 + n / 100 % 10 END::int AS p
    FROM generate_series($2::bigint, $3::bigint) n
) place OFFSET 0
"""
SESSIONS: Final = f"""
INSERT INTO sessions (
    project_id, session_id, started_ms, known, platform, user_uuid, user_id, device_model, device_name, os, os_version,
    memory_kb, width, height, tracker_version, revision, timezone, country, state, city, metadata, device_start_ms,
    device_first_ms, device_last_ms, clock_offset_ms, first_received_ms, last_received_ms, duration_ms, messages,
    events, clicks, views, network, frames, bytes, issue_types, revision_no, recording, recording_name
)
SELECT project_id, session_id, started_ms, true, platform, md5('user' || u), 'user-' || u || '@example.com',
    'Model' || model || ',1', 'Phone ' || model, upper(platform), '17.' || version, 6000000, 393, 852,
    '1.0.' || version, (version * 12)::text, 'UTC+02:00', country, 'State', 'City', '{{"plan": "pro"}}', started_ms,
    started_ms, started_ms + duration_ms, 120, started_ms, started_ms + duration_ms, duration_ms, counted * 3, counted,
    counted / 2, counted / 4, counted / 4, duration_ms / 1000, counted * 900,
    CASE WHEN n % 50 = 0 THEN '{{crash}}'::text[] ELSE '{{}}' END, 20, 1, md5(n::text)
FROM ({SESSION}) s
"""
FACETS: Final = f"""
INSERT INTO facets (project_id, facet, value, started_ms, session_id)
SELECT project_id, facet, value, started_ms, session_id FROM ({SESSION}) s CROSS JOIN LATERAL (
    VALUES ('platform', platform), ('user_uuid', md5('user' || u)),
        ('device', 'Model' || model || ',1'), ('device', 'Phone ' || model),
        ('os', upper(platform)), ('os', CASE platform WHEN 'ios' THEN 'iOS' END),
        ('os', upper(platform) || ' 17.' || version), ('country', country),
        ('tracker_version', '1.0.' || version), ('app_version', (version * 12)::text),
        ('user_id', CASE WHEN n % 5 > 0 THEN 'user-' || u || '@example.com' END),
        ('anonymous_id', CASE WHEN n % 5 = 0 THEN 'anon-' || u END),
        ('metadata.plan', CASE WHEN n % 10 < 6 THEN 'free' WHEN n % 10 < 9 THEN 'pro' ELSE 'enterprise' END),
        ('metadata.tenant', 'tenant-' || trunc(2000 * roll(n, 7) ^ 2)),
        ('metadata.order', CASE WHEN n % 10 = 1 THEN 'order-' || n END),
        ('event', CASE WHEN n % 20000 = 11 THEN 'account_deleted' END),
        ('url', 'https://api.example.com/v1/item/' || trunc(200000 * roll(n, 8))),
        ('issue', CASE WHEN n % 50 = 0 THEN CASE WHEN n % 10000 = 0 THEN 'anr' ELSE 'crash' END END),
        ('text', CASE WHEN n % 50 = 0 THEN 'NSInvalidArgumentException ' || trunc(300 * roll(n, 9) ^ 3) END)
    UNION ALL SELECT 'event', 'event_' || k * 32 + trunc(32 * roll(n, 10 + k) ^ 2)::int FROM generate_series(0, 5) k
    UNION ALL SELECT 'view', 'Screen ' || k * 12 + trunc(12 * roll(n, 20 + k) ^ 2)::int FROM generate_series(0, 4) k
    UNION ALL SELECT 'view', 'MainView' || k * 12 + trunc(12 * roll(n, 20 + k) ^ 2)::int FROM generate_series(0, 4) k
    UNION ALL SELECT 'url', 'https://api.example.com/v1/resource-' || k * 60 + trunc(60 * roll(n, 30 + k) ^ 2)::int
        FROM generate_series(0, 4) k
    UNION ALL SELECT 'label', 'UIButton Item ' || k * 80 + trunc(80 * roll(n, 40 + k) ^ 2)::int
        FROM generate_series(0, 5) k
) AS term (facet, value) WHERE value IS NOT NULL
"""
_EVENT_COLUMNS: Final = """
WITH kinds AS MATERIALIZED (
    SELECT k, ('{{click,view,network,custom,input,swipe}}'::text[])[1 + k % 6] AS category,
        jsonb_build_object('Label', 'UIButton Item ' || k, 'X', 120 + k, 'Y', 640) AS data
    FROM generate_series(0, {last}) k
), names AS MATERIALIZED (
    SELECT array_agg('event_' || x * x / 190 ORDER BY x) AS names FROM generate_series(0, 190) x
)
SELECT project_id, day, s.id, int8send(n * {events} + k) || s.tail, s.source,
    CASE WHEN n % 20000 = 13 AND k = 3 THEN 'billing' ELSE category END,
    CASE WHEN n % 20000 = 11 AND k = 5 THEN 'account_deleted' ELSE names[1 + (n * 2654435761 + k * 40503) % 191] END,
    (started_ms + duration_ms * k / {events}) * 1000, started_ms * 1000 + k,
    (started_ms * 1000) << 12 | k, s.user_id, '', data
FROM (
    SELECT *, session_id::text AS id, int8send(n) AS tail, CASE WHEN n % 33 = 0 THEN 'json' ELSE 'mobile' END AS source,
        CASE WHEN n % 33 = 0 THEN 'user-' || u ELSE '' END AS user_id
    FROM ({session}) every WHERE day = '{day}' OFFSET 0
) s CROSS JOIN kinds CROSS JOIN names
"""
EVENT_SESSIONS: Final = f"""
INSERT INTO event_sessions
SELECT project_id, session_id::text, {EVENTS}, started_ms * 1000, (started_ms + duration_ms) * 1000, day, day, false
FROM ({SESSION}) s
"""
EVENT_CATEGORIES: Final = f"""
INSERT INTO event_session_categories
SELECT project_id, session_id::text, c FROM ({SESSION}) s
CROSS JOIN unnest('{{click,view,network,custom,input,swipe}}'::text[]) c
UNION ALL SELECT project_id, session_id::text, 'billing' FROM ({SESSION}) s WHERE n % 20000 = 13
"""
ISSUES: Final = f"""
INSERT INTO issues (
    project_id, session_id, issue_key, type, at_ms, title, fingerprint, started_ms, seen_ms, user_key
)
SELECT project_id, session_id, int8send(n), CASE WHEN n % 10000 = 0 THEN 'anr' ELSE 'crash' END, started_ms,
    'NSInvalidArgumentException ' || f, int8send(f), started_ms, started_ms, int8send(u) || int8send(u)
FROM ({SESSION}) s CROSS JOIN LATERAL (SELECT trunc(300 * roll(n, 9) ^ 3)::bigint AS f) g WHERE n % 50 = 0
"""
ISSUE_USERS: Final = """
INSERT INTO issue_users
SELECT project_id, fingerprint, user_key, count(DISTINCT session_id) FROM issues GROUP BY 1, 2, 3
"""
ISSUE_GROUPS: Final = """
INSERT INTO issue_groups
SELECT project_id, fingerprint, min(type), min(title), count(*), count(DISTINCT session_id),
    count(DISTINCT user_key), min(seen_ms), max(seen_ms) FROM issues GROUP BY 1, 2
"""
INDEXES: Final = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by, c.conname
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid WHERE i.indrelid = $1::regclass
"""


FACET_VALUES: Final = "INSERT INTO facet_values SELECT DISTINCT project_id, facet, value FROM facets"


#: tables that are filled without their indexes, by slices of sessions
BY_SESSION: Final = {
    "facets": FACETS,
    "sessions": SESSIONS,
    "event_sessions": EVENT_SESSIONS,
    "event_session_categories": EVENT_CATEGORIES,
    "issues": ISSUES,
}
#: and from those
AFTERWARDS: Final = {"facet_values": FACET_VALUES, "issue_users": ISSUE_USERS, "issue_groups": ISSUE_GROUPS}

Step = Callable[[Any], Awaitable[None]]


async def fill(db: Database, sessions: int, until: Callable[[], bool]) -> bool:
    """Go on making the data, in an empty database of the newest schema first, until told -> whether all is there."""
    async with db.acquire() as conn:
        await conn.execute(FAST)
        await conn.execute("CREATE TABLE IF NOT EXISTS made (step text PRIMARY KEY)")
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS later (of text, name text, made_by text, conname text)"
        )
        made = {row[0] for row in await conn.fetch("SELECT step FROM made")}
        for name, step in _steps(sessions):
            if name in made:
                continue
            if until():
                return False
            if name.startswith("vacuum"):
                await step(conn)
                await conn.execute("INSERT INTO made VALUES ($1)", name)
                continue
            async with conn.transaction():
                await step(conn)
                await conn.execute("INSERT INTO made VALUES ($1)", name)
    return True


def _steps(sessions: int) -> Iterator[tuple[str, Step]]:
    """Each a transaction of its own."""
    yield "begin", _begin
    days = [FIRST_DAY + datetime.timedelta(days=n) for n in range(DAYS)]
    for day in days:
        yield f"events of {day}", partial(_events, sessions=sessions, day=day)
    for table, statement in BY_SESSION.items():
        for first in range(0, sessions, SLICE):
            values = sessions, first, min(first + SLICE, sessions) - 1
            yield f"{table} from {first}", partial(_run, statement=statement, values=values)
        yield f"indexes of {table}", partial(_indexes, table=table)
    for table, statement in AFTERWARDS.items():
        yield table, partial(_run, statement=statement)
        yield f"indexes of {table}", partial(_indexes, table=table)
    partitions = [f"events_{day:%Y%m%d}" for day in days]
    for table in (*BY_SESSION, *AFTERWARDS, *partitions):  # as autovacuum has long done at that size
        yield f"vacuum {table}", partial(_run, statement=f"VACUUM (ANALYZE) {table}")
    yield "statistics", partial(_run, statement="ANALYZE events")
    yield "end", partial(_run, statement="DROP FUNCTION roll; ALTER TABLE facets ENABLE TRIGGER USER")


async def _run(conn: Any, *, statement: str, values: Sequence[Any] = ()) -> None:
    await conn.execute(statement, *values, timeout=TIMEOUT_S)


async def _begin(conn: Any) -> None:
    await conn.execute(ROLL)
    await conn.execute(
        "INSERT INTO projects (project_id, project_key, name, created_ms, updated_ms) "
        "SELECT n, 'project-' || n, 'Project', 0, 0 FROM generate_series(1, 12) n"
    )
    await conn.execute("ALTER TABLE facets DISABLE TRIGGER USER")
    for table in (*BY_SESSION, *AFTERWARDS):
        for name, made_by, constraint in await conn.fetch(INDEXES, table):
            await conn.execute("INSERT INTO later VALUES ($1, $2, $3, $4)", table, name, made_by, constraint)
            await conn.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {name}"
            )


async def _indexes(conn: Any, *, table: str) -> None:
    for name, made_by, constraint in await conn.fetch(
        "SELECT name, made_by, conname FROM later WHERE of = $1", table
    ):
        await conn.execute(made_by, timeout=TIMEOUT_S)
        if constraint:
            await conn.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {constraint} PRIMARY KEY USING INDEX {name}"
            )


async def _events(conn: Any, *, sessions: int, day: datetime.date) -> None:
    """A partition, attached once it is full."""
    name, number = f"events_{day:%Y%m%d}", (day - FIRST_DAY).days
    first, last = (
        max(number * sessions // DAYS - 1, 0),
        min((number + 1) * sessions // DAYS + 1, sessions - 1),
    )
    rows = _EVENT_COLUMNS.format(events=EVENTS, last=EVENTS - 1, session=SESSION, day=day)
    await conn.execute(f"CREATE TABLE {name} (LIKE events INCLUDING DEFAULTS)")
    await conn.execute(f"INSERT INTO {name} {rows}", sessions, first, last, timeout=TIMEOUT_S)
    following = day + datetime.timedelta(days=1)
    await conn.execute(
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{day}') TO ('{following}')",
        timeout=TIMEOUT_S,
    )
