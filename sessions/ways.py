"""Ways to the first sessions that fulfil all conditions: read one filter, gather the rarest, or walk in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sessions.conditions import (
    STARTED,
    Condition,
    Duration,
    Part,
    Term,
    Values,
    Wanted,
    session_rows,
)
from sessions.cursors import Place
from sessions.model import COLUMNS, Session
from sessions.store import session_from_row

#: what one statement may spend on asking sessions, µs
WORK_US: Final = 40_000.0
#: sessions that are next to each other in the list, but not in the tables, cost this much more
SCATTERED: Final = 4.0
#: most sessions of the rarest filter that are gathered, and most that are walked through for one page
GATHERED: Final = 5_000
WALKED: Final = 20_000

_SESSION: Final = ", ".join(f"s.{name}" for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class Row:
    """A place of the list; `session` is none if its row is not there (any more)."""

    place: Place
    session: Session | None


@dataclass(frozen=True, slots=True)
class Found:
    """The first sessions, one more than asked for if there are; `end`: how far was looked, none: to the last."""

    rows: list[Row]
    end: Place | None = None


async def find(db: Any, wanted: Wanted, projects: Sequence[int], limit: int) -> Found:
    """The first `limit` sessions of these projects behind the place that `wanted` names, and one more."""
    plain = _plain(wanted)
    if plain is not None:
        return Found(await _fetch(db, plain, wanted, projects, limit))
    gathered, walked = await _plan(db, wanted, projects)
    rows: list[Row] = []
    for source, some in gathered.items():
        rows += await _fetch(db, _Gather(wanted, source), wanted, some, limit)
    ends: list[Place] = []
    budget = max(_budget(wanted, WALKED) // max(sum(map(len, walked.values())), 1), limit + 1)
    for driver, some in walked.items():
        walk = _Walk(wanted, driver, budget)
        came = await _fetch(db, walk, wanted, some, limit)
        rows += came
        if len(some) > 1 or len(came) <= limit:
            ends += await _ends(db, walk, wanted, some)
    # (nearest first) nothing behind the place at which the first walk stopped is known to be next
    sign = -1 if wanted.descending else 1
    rows.sort(key=lambda row: (sign * row.place[0], sign * row.place[1]))
    end = min(ends, key=lambda place: (sign * place[0], sign * place[1])) if ends else None
    if end is not None:
        last = sign * end[0], sign * end[1]
        rows = [row for row in rows if (sign * row.place[0], sign * row.place[1]) <= last]
    return Found(rows[: limit + 1], end)


class _Plain:
    """One filter, or none, in its own order."""

    def __init__(self, wanted: Wanted, condition: Condition | None) -> None:
        self._wanted, self._condition = wanted, condition

    def sql(self, values: Values, limit: str) -> str:
        """(key, session_id) of a project `w`."""
        wanted = self._wanted
        if self._condition is None and wanted.by_start:
            rows = session_rows(values, wanted.window, limit)
        elif self._condition is None or not wanted.by_start:
            return column_rows(values, wanted, self._condition, limit)
        else:
            rows = self._condition.rows(values, wanted.window, limit) or ""
        return f"SELECT c.started_ms AS key, c.session_id FROM ({rows}) c"


class _Gather:
    """All sessions of the rarest condition, asked for the others, sorted."""

    def __init__(self, wanted: Wanted, source: Condition | None) -> None:
        self._wanted, self._source = wanted, source  # none: all of the window

    def sql(self, values: Values, limit: str) -> str:
        """(key, session_id) of a project `w`."""
        wanted, most = self._wanted, values.bind(GATHERED + 1)
        if self._source is None:
            rows = session_rows(values, wanted.window, most)
        else:
            rows = self._source.rows(values, wanted.window, most) or ""
        asked = [each.asked(values) for each in wanted.conditions if each is not self._source]
        outside = wanted.window.sql("c", values) if isinstance(self._source, Duration) else ""
        key = "c.started_ms"
        if not wanted.by_start:
            key = (
                f"(SELECT s.{wanted.column} FROM sessions s"
                " WHERE s.project_id = w.project_id AND s.session_id = c.session_id)"
            )
        where = " AND ".join(["true", *asked])
        return (
            f"SELECT k.key, k.session_id FROM (SELECT {key} AS key, c.session_id FROM ({rows}) c"
            f" WHERE {where}{outside} OFFSET 0) k WHERE k.key IS NOT NULL{_behind(values, wanted, 'k.key', 'k')}"
            f" {wanted.order('k.key', 'k.session_id')} LIMIT {limit}"
        )


class _Walk:
    """Sessions in the order of the list, each asked for all conditions, until the page or the budget is full."""

    def __init__(self, wanted: Wanted, driver: Condition | None, budget: int) -> None:
        self._wanted, self._driver, self._budget = wanted, driver, budget  # no driver: all sessions

    def _rows(self, values: Values, limit: str) -> str:
        wanted = self._wanted
        if not wanted.by_start:
            return column_rows(values, wanted, self._driver, limit)
        if self._driver is None:
            rows = session_rows(values, wanted.window, limit)
        else:
            rows = self._driver.rows(values, wanted.window, limit) or ""
        return f"SELECT r.started_ms AS key, r.started_ms, r.session_id FROM ({rows}) r"

    def sql(self, values: Values, limit: str) -> str:
        """(key, session_id) of a project `w`."""
        rows = self._rows(values, values.bind(self._budget))
        asked = [each.asked(values) for each in self._wanted.conditions if each is not self._driver]
        where = " AND ".join(["true", *asked])
        if not self._wanted.by_start:
            where += self._wanted.window.sql("c", values)
        order = self._wanted.order("c.key", "c.session_id")
        return f"SELECT c.key, c.session_id FROM ({rows}) c WHERE {where} {order} LIMIT {limit}"

    def end(self, values: Values) -> str:
        """(key, session_id) of the last session that the budget reaches."""
        rows = self._rows(values, values.bind(self._budget))
        return f"SELECT c.key, c.session_id FROM ({rows}) c OFFSET {values.bind(self._budget - 1)}"


_Way = _Plain | _Gather | _Walk


def column_rows(values: Values, wanted: Wanted, range_: Condition | None, limit: str) -> str:
    """(key, started_ms, session_id) in the order of a column other than the start, from its index alone."""
    key = f"s.{wanted.column}"
    span = range_.sql(values) if isinstance(range_, Duration) else ""
    return (
        f"SELECT {key} AS key, {STARTED} AS started_ms, s.session_id FROM sessions s"
        f" WHERE s.project_id = w.project_id{span}{_behind(values, wanted, key, 's')}"
        f" {wanted.order(key, 's.session_id')} LIMIT {limit}"
    )


def _plain(wanted: Wanted) -> _Plain | None:
    """The way of a single filter, if it is one."""
    if len(wanted.conditions) > 1 or (not wanted.by_start and wanted.window.narrows):
        return None
    only = wanted.conditions[0] if wanted.conditions else None
    if only is None:
        return _Plain(wanted, None)
    if wanted.by_start:
        ordered = isinstance(only, Term) or (isinstance(only, Part) and only.found is not None)
        return _Plain(wanted, only) if ordered else None
    return _Plain(wanted, only) if _is_range(only, wanted) else None


def _is_range(condition: Condition, wanted: Wanted) -> bool:
    """Whether it is a range of the list's own order."""
    return isinstance(condition, Duration) and wanted.column == "duration_ms"


def _budget(wanted: Wanted, most: int, source: Condition | None = None) -> int:
    """Sessions that can be asked for all conditions but the one that brings them within WORK_US."""
    return min(most, int(WORK_US / _asking_us(wanted, source)))


def _asking_us(wanted: Wanted, source: Condition | None) -> float:
    """What it costs to take a session from the source and ask it for the others."""
    asking_us = 1.0 + sum(each.cost_us for each in wanted.conditions if each is not source)
    return asking_us if wanted.by_start else asking_us * SCATTERED


async def _plan(
    db: Any, wanted: Wanted, projects: Sequence[int]
) -> tuple[dict[Condition | None, list[int]], dict[Condition | None, list[int]]]:
    """Source -> projects in which it is rare enough to be gathered; driver -> projects to walk through."""
    sources: list[Condition | None] = [*wanted.conditions, *([None] if wanted.window.narrows else [])]
    most = [_budget(wanted, GATHERED, source) for source in sources]
    measured = await _measure(db, wanted, projects, sources, [each + 1 for each in most])
    range_ = next((each for each in wanted.conditions if _is_range(each, wanted)), None)
    gathered: dict[Condition | None, list[int]] = defaultdict(list)
    walked: dict[Condition | None, list[int]] = defaultdict(list)
    sign = 1 if wanted.window.descending else -1
    for project_id in projects:
        found = measured[project_id]
        prices = {
            number: count * _asking_us(wanted, sources[number])
            for number, (count, _) in found.items()
            if count <= most[number]
        }
        if prices:
            cheapest = min(prices, key=lambda number: prices[number])
            if found[cheapest][0]:
                gathered[sources[cheapest]].append(project_id)
            continue
        # of common terms the one whose newest sessions reach back farthest is the rarest
        reach = {
            number: sign * (far or 0)
            for number, (_, far) in found.items()
            if isinstance(sources[number], Term)
        }
        driver = sources[min(reach, key=lambda number: reach[number])] if reach else None
        walked[driver if wanted.by_start else range_].append(project_id)
    return gathered, walked


async def _measure(
    db: Any, wanted: Wanted, projects: Sequence[int], sources: Sequence[Condition | None], most: Sequence[int]
) -> dict[int, dict[int, tuple[int, int | None]]]:
    """Project -> number of a source -> (its sessions, counted up to its `most`, and the farthest start among these)."""
    values = Values(projects)
    far = "min" if wanted.window.descending else "max"
    counts = []
    for number, source in enumerate(sources):
        if isinstance(source, Part) and source.found is None:
            continue
        limit = values.bind(most[number])
        rows = (
            session_rows(values, wanted.window, limit)
            if source is None
            else source.some(values, wanted.window, limit)
        )
        counts.append(f"SELECT {number} AS number, count(*) AS n, {far}(o.started_ms) AS far FROM ({rows}) o")
    measured: dict[int, dict[int, tuple[int, int | None]]] = {project_id: {} for project_id in projects}
    if counts:
        sql = (
            "SELECT w.project_id, o.number, o.n, o.far FROM unnest($1::int[]) AS w(project_id)"
            f" CROSS JOIN LATERAL ({' UNION ALL '.join(counts)}) o"
        )
        for project_id, number, count, reach in await db.fetch(sql, *values.values):
            measured[project_id][number] = count, reach
    return measured


async def _fetch(db: Any, way: _Way, wanted: Wanted, projects: Sequence[int], limit: int) -> list[Row]:
    """The first rows of all projects by one way, with their sessions."""
    values = Values(projects)
    most = values.bind(limit + 1)
    sql = (
        f"SELECT found.key AS place, found.session_id AS id, {_SESSION} FROM ("
        "SELECT w.project_id, o.key, o.session_id FROM unnest($1::int[]) AS w(project_id)"
        f" CROSS JOIN LATERAL ({way.sql(values, most)}) o {wanted.order('o.key', 'o.session_id')} LIMIT {most}"
        ") found LEFT JOIN sessions s ON s.project_id = found.project_id AND s.session_id = found.session_id"
        f" {wanted.order('found.key', 'found.session_id')}"
    )
    return [
        Row((row["place"], row["id"]), None if row["session_id"] is None else session_from_row(row))
        for row in await db.fetch(sql, *values.values)
    ]


async def _ends(db: Any, walk: _Walk, wanted: Wanted, projects: Sequence[int]) -> list[Place]:
    """Where the walks that did not come to the last session stopped."""
    values = Values(projects)
    sql = (
        "SELECT o.key, o.session_id FROM unnest($1::int[]) AS w(project_id)"
        f" CROSS JOIN LATERAL ({walk.end(values)}) o"
    )
    return [(row[0], row[1]) for row in await db.fetch(sql, *values.values)]


def _behind(values: Values, wanted: Wanted, key: str, table: str) -> str:
    """After AND: behind the cursor, in the order of a column that is not the start."""
    if wanted.after is None:
        return ""
    compare = "<" if wanted.descending else ">"
    place = f"({values.bind(wanted.after[0])}, {values.bind(wanted.after[1])})"
    return f" AND ({key}, {table}.session_id) {compare} {place}"
