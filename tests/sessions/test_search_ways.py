"""Every way to a page brings what comparing all sessions brings, and reads no more of ten times as many sessions."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest

from playhead.settings import Settings
from sessions import search as search_module
from sessions.cursors import SORTS
from sessions.search import FACETS, Page, ReplayFilters, search
from storage.migrate import migrate
from storage.postgres import Database, open_pool

BEGIN_MS = 1_767_225_600_000
FEW, MANY = 2_000, 20_000

SESSIONS = f"""
INSERT INTO sessions (project_id, session_id, started_ms, duration_ms, events)
SELECT CASE WHEN n % 10 = 0 THEN 2 ELSE 1 END, (({BEGIN_MS} + n * 1000 - 1550000000000) << 24) | n % 7,
    {BEGIN_MS} + n * 1000, n * 7919 % 100000, n * 31 % 500
FROM generate_series(1, $1::int) n
"""
#: `half` and `other` never meet; each thousandth session has something rare, each a user and an order of its own
FACETS_OF = """
INSERT INTO facets (project_id, facet, value, started_ms, session_id)
SELECT project_id, facet, value, started_ms, session_id
FROM (SELECT *, (started_ms - 1767225600000) / 1000 AS n FROM sessions) s CROSS JOIN LATERAL (VALUES
    ('platform', CASE n % 2 WHEN 0 THEN 'half' ELSE 'other' END),
    ('country', CASE n % 2 WHEN 0 THEN 'zero' ELSE 'one' END),
    ('device', 'Phone ' || n % 5), ('view', 'Screen ' || n % 40), ('event', CASE n % 1000 WHEN 11 THEN 'rare' END),
    ('user_id', 'user ' || n / 3), ('metadata.order', 'order ' || n), ('url', 'https://api/item/' || n % 3000)
) AS t(facet, value) WHERE value IS NOT NULL
"""
CASES: list[dict[str, Any]] = [
    {},
    {"facets": {"device": "Phone 3"}},
    {"facets": {"event": "rare"}},
    {"facets": {"event": "none"}},
    {"facets": {"platform": "half", "device": "Phone 3"}},
    {"facets": {"platform": "half", "country": "one"}},
    {"facets": {"platform": "other", "event": "rare"}},
    {"facets": {"platform": "half", "view": "Screen 8", "device": "Phone 3"}},
    {"metadata": {"order": "order 2999"}, "facets": {"platform": "other"}},
    {"from_ms": BEGIN_MS + 1_000_000, "to_ms": BEGIN_MS + 1_100_000},
    {"from_ms": BEGIN_MS + 1_000_000, "facets": {"platform": "half"}},
    {"to_ms": BEGIN_MS + 2_000_000, "facets": {"platform": "half", "country": "one"}},
    {"min_duration_ms": 99_900},
    {"min_duration_ms": 10_000},
    {"min_duration_ms": 50_000, "max_duration_ms": 50_100, "facets": {"platform": "half"}},
    {"min_duration_ms": 50_000, "facets": {"platform": "half"}},
    {"text": "phone 3"},
    {"text": "ORDER 299"},
    {"text": "user 1", "facets": {"platform": "other"}},
    {"text": "e 3"},
    {"text": "r 7", "facets": {"device": "Phone 2"}},
    {"url": "item/12"},
    {"url": "api/item"},
    {"url": "item/29", "facets": {"platform": "half"}},
    {"url": "phone"},
    {"text": "no such thing"},
    {"text": "%"},
]


class Watched(Database):
    """A database that explains what it is asked: blocks that were touched, tables that were read from end to end."""

    blocks = 0
    scans: set[str]
    queries: set[str]

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        async with self.acquire() as conn:
            return await self._explained(conn, query, *args)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AsyncIterator[Any]:
        async with super().transaction(isolation=isolation, readonly=readonly) as conn:
            yield _Explained(self, conn)

    async def _explained(self, conn: Any, query: str, *args: Any) -> list[Any]:
        self.queries.add(query)
        (plan,) = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", *args)
        self.blocks += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        self.scans |= {
            each["Relation Name"] for each in nodes(plan["Plan"]) if each["Node Type"] == "Seq Scan"
        }
        return list(await conn.fetch(query, *args))


class _Explained:
    def __init__(self, db: Watched, conn: Any) -> None:
        self._db, self.execute, self.fetchval, self._conn = db, conn.execute, conn.fetchval, conn

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        return await self._db._explained(self._conn, query, *args)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


@contextlib.asynccontextmanager
async def seeded(dsn: str, sessions: int) -> AsyncIterator[Database]:
    async with open_pool(Settings(database_url=dsn), timeout_s=60) as db:
        await db.execute(
            "INSERT INTO projects (project_id, project_key, name, created_ms, updated_ms) "
            "SELECT n, n, n, 0, 0 FROM generate_series(1, 3) n"
        )
        await db.execute(SESSIONS, sessions)
        await db.execute(FACETS_OF)
        await db.execute("VACUUM (ANALYZE) sessions, facets, facet_values")
        yield db


async def everything(db: Database) -> list[Any]:
    """All sessions with their terms."""
    return await db.fetch(
        """
        SELECT project_id, session_id, s.started_ms, duration_ms, events, array_agg(facet || '=' || value) AS terms
        FROM sessions s JOIN facets f USING (project_id, session_id) GROUP BY 1, 2, 3, 4, 5
        """
    )


def brute(rows: list[Any], filters: ReplayFilters) -> list[int]:
    """What is asked for, by looking at every session."""
    exact = {f"{FACETS[name]}={value}" for name, value in filters.facets.items()}
    exact |= {f"metadata.{key}={value}" for key, value in filters.metadata.items()}
    parts = [("", filters.text)] if filters.text else []
    parts += [("url=", filters.url)] if filters.url else []
    spans = [
        ("started_ms", filters.from_ms, filters.to_ms),
        ("duration_ms", filters.min_duration_ms, filters.max_duration_ms),
    ]

    def fits(row: Any) -> bool:
        return (
            all((low is None or row[n] >= low) and (high is None or row[n] <= high) for n, low, high in spans)
            and exact <= set(row["terms"])
            and all(
                any(t.startswith(f) and text.lower() in t.partition("=")[2].lower() for t in row["terms"])
                for f, text in parts
            )
        )

    column, descending = SORTS[filters.sort]
    kept = sorted(filter(fits, rows), key=lambda row: (row[column], row["session_id"]), reverse=descending)
    return [row["session_id"] for row in kept]


async def paged(db: Any, filters: ReplayFilters, projects: list[int] | None, most: int) -> list[int]:
    """The first ids (at least `most`, if there are) by going from page to page."""
    found: list[int] = []
    page = Page([], "")
    while page.next_cursor is not None and len(found) < most:
        page = await search(db, dataclasses.replace(filters, cursor=page.next_cursor or None), projects)
        found += [session.session_id for session in page.sessions]
        assert len(page.sessions) <= filters.limit
    return found


async def test_every_way_finds_what_comparing_all_sessions_finds(postgres_dsn: str) -> None:
    async with seeded(postgres_dsn, 12_000) as db:
        rows = await everything(db)
        for number, case in enumerate(CASES):
            for sort, projects in (
                ("newest", [1]),
                (list(SORTS)[1 + number % 5], [1, 2, 3]),
                ("oldest", None),
            ):
                filters = ReplayFilters(**case, sort=sort, limit=70)
                expected = brute(
                    [r for r in rows if projects is None or r["project_id"] in projects], filters
                )
                found = await paged(db, filters, projects, 150)
                assert found == expected[: len(found)], (case, sort, projects)
                assert len(found) >= min(len(expected), 150), (case, sort, projects)


async def test_a_page_reads_no_more_of_ten_times_as_many_sessions(postgres_dsn: str, empty_dsn: str) -> None:
    await migrate(empty_dsn)
    read: dict[bytes, list[tuple[int, int]]] = {}
    for dsn, sessions in ((empty_dsn, FEW), (postgres_dsn, MANY)):
        async with seeded(dsn, sessions) as db:
            for case in CASES:
                for sort in ("newest", "longest"):
                    watched = Watched(db.pool, db.dsn, db.timeout_s)
                    watched.scans, watched.queries = set(), set()
                    page = await search(watched, ReplayFilters(**case, sort=sort), [1])
                    read.setdefault(orjson.dumps([case, sort]), []).append(
                        (watched.blocks, len(page.sessions))
                    )
                    if sessions == MANY:
                        assert not watched.scans & {"sessions", "facets"}, (case, sort)
    for question, ((few, few_rows), (many, many_rows)) in read.items():
        case, sort = orjson.loads(question)
        alone = sort == "newest" and len(case) == 1 and len(case.get("facets", ())) == 1
        most = 2 * few + 6 * (many_rows - few_rows) + 500 if alone else 35_000
        assert many <= most, (question, few, many)


async def test_a_text_that_very_many_values_are_expected_to_contain_is_not_looked_up(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seeded(postgres_dsn, 3_000) as db:
        wanted = ReplayFilters(text="order 29", limit=50)
        expected = brute([row for row in await everything(db) if row["project_id"] == 1], wanted)
        for surely_many, looked_up in ((search_module.SURELY_MANY, True), (0, False)):
            monkeypatch.setattr(search_module, "SURELY_MANY", surely_many)
            watched = Watched(db.pool, db.dsn, db.timeout_s)
            watched.scans, watched.queries = set(), set()
            assert await paged(watched, wanted, [1], len(expected)) == expected
            assert (search_module.CONTAINING in watched.queries) is looked_up
