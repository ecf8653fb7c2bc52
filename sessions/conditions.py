"""Filters of the session list as SQL: each can be asked of one session, and most can bring their sessions in order.

All SQL here stands inside a LATERAL over `w(project_id)`. Values are always bound. What is asked of a session is a
scalar subquery, which Postgres runs for that session alone: as a join it might read everything that matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sessions.cursors import Place
from sessions.ids import EPOCH_MS

#: what asking one session costs about, µs
TERM_US: Final = 4.0
ROW_US: Final = 4.0
TEXT_US: Final = 80.0
#: values up to which a part of a text is looked up as its values: probes cost less than all terms of the session
FEW_VALUES: Final = int(TEXT_US / TERM_US)


class Values:
    """Bound values of one statement; the first is the list of projects."""

    def __init__(self, projects: Sequence[int]) -> None:
        self.values: list[Any] = [list(projects)]

    def bind(self, value: Any) -> str:
        """The value's place."""
        self.values.append(value)
        return f"${len(self.values)}"


@dataclass(frozen=True, slots=True)
class Window:
    """Which span of the list's order counts: started from/to (ms, inclusive), and what lies behind a place of it."""

    from_ms: int | None = None
    to_ms: int | None = None
    descending: bool = True  # by start
    after: Place | None = None  # by start

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self.from_ms is not None or self.to_ms is not None

    def sql(self, table: str, values: Values) -> str:
        """Conditions, each after AND, on a table with started_ms and session_id."""
        sql = ""
        if self.from_ms is not None:
            sql += f" AND {table}.started_ms >= {values.bind(self.from_ms)}"
        if self.to_ms is not None:
            sql += f" AND {table}.started_ms <= {values.bind(self.to_ms)}"
        if self.after is not None:
            compare = "<" if self.descending else ">"
            place = f"({values.bind(self.after[0])}, {values.bind(self.after[1])})"
            sql += f" AND ({table}.started_ms, {table}.session_id) {compare} {place}"
        return sql

    def order(self, table: str) -> str:
        """ORDER BY."""
        return _order(f"{table}.started_ms", f"{table}.session_id", self.descending)


class Condition(Protocol):
    """A filter; `c` has started_ms and session_id of the session that is asked."""

    @property
    def cost_us(self) -> float:
        """Of asking one session."""

    def asked(self, values: Values) -> str:
        """Whether the session `c` fulfils it."""

    def rows(self, values: Values, window: Window, limit: str) -> str | None:
        """(started_ms, session_id) of the first `limit` that fulfil it, in the window's order; none: cannot tell."""

    def some(self, values: Values, window: Window, limit: str) -> str | None:
        """The same for counting: in any order, cheap whatever there is. A session may be there several times."""


@dataclass(frozen=True, slots=True)
class Term:
    """The session has exactly this term."""

    facet: str
    value: str

    @property
    def cost_us(self) -> float:
        """One probe of the inverted index."""
        return TERM_US

    def asked(self, values: Values) -> str:
        """See Condition."""
        return f"({_entry(values.bind(self.facet), values.bind(self.value))}) IS TRUE"

    def rows(self, values: Values, window: Window, limit: str) -> str:
        """See Condition."""
        return _rows(values.bind(self.facet), values.bind(self.value), values, window, limit)

    some = rows


@dataclass(frozen=True, slots=True)
class Part:
    """The session has a term that contains the text, whatever case; `facet` none means any.

    `found`: all terms that do, none if they are too many to be looked up one by one.
    """

    text: str
    facet: str | None = None
    found: tuple[tuple[str, str], ...] | None = None

    @property
    def cost_us(self) -> float:
        """Few values are probed, else all terms of the session are read."""
        return TEXT_US if self._values is None else TERM_US * len(self._values)

    @property
    def _values(self) -> tuple[tuple[str, str], ...] | None:
        """Its values if they are few."""
        return self.found if self.found is not None and len(self.found) <= FEW_VALUES else None

    def asked(self, values: Values) -> str:
        """See Condition."""
        if self._values is not None:
            probes = [
                f"({_entry(values.bind(facet), values.bind(value))}) IS TRUE" for facet, value in self._values
            ]
            return f"({' OR '.join(probes) or 'false'})"
        which = f" AND f.facet = {values.bind(self.facet)}" if self.facet else ""
        return (
            "(SELECT true FROM facets f WHERE f.project_id = w.project_id AND f.session_id = c.session_id"
            f"{which} AND f.value ILIKE {values.bind(like(self.text))} LIMIT 1) IS TRUE"
        )

    def rows(self, values: Values, window: Window, limit: str) -> str | None:
        """See Condition. The first of each value hold the first of all."""
        if self.found is None:
            return None
        return (
            f"SELECT DISTINCT o.started_ms, o.session_id FROM {self._each(self.found, values, window, limit)}"
            f" {window.order('o')} LIMIT {limit}"
        )

    def some(self, values: Values, window: Window, limit: str) -> str | None:
        """See Condition."""
        if self.found is None:
            return None
        return f"SELECT o.started_ms FROM {self._each(self.found, values, window, limit)} LIMIT {limit}"

    @staticmethod
    def _each(found: Sequence[tuple[str, str]], values: Values, window: Window, limit: str) -> str:
        facets, texts = (values.bind([term[n] for term in found]) for n in (0, 1))
        each = _rows("m.facet", "m.value", values, window, limit)
        return f"unnest({facets}::text[], {texts}::text[]) AS m(facet, value) CROSS JOIN LATERAL ({each}) o"


@dataclass(frozen=True, slots=True)
class Duration:
    """How long the session lasted, ms, inclusive."""

    least: int | None = None
    most: int | None = None

    @property
    def cost_us(self) -> float:
        """The session's row."""
        return ROW_US

    def asked(self, values: Values) -> str:
        """See Condition."""
        return (
            "(SELECT true FROM sessions s WHERE s.project_id = w.project_id AND s.session_id = c.session_id"
            f"{self.sql(values)}) IS TRUE"
        )

    def rows(self, values: Values, window: Window, limit: str) -> str:
        """See Condition; in no order, and the window is not looked at."""
        return (
            f"SELECT {STARTED} AS started_ms, s.session_id FROM sessions s"
            f" WHERE s.project_id = w.project_id{self.sql(values)} LIMIT {limit}"
        )

    some = rows

    def sql(self, values: Values) -> str:
        """Conditions, each after AND, on `sessions s`."""
        sql = "" if self.least is None else f" AND s.duration_ms >= {values.bind(self.least)}"
        return sql if self.most is None else f"{sql} AND s.duration_ms <= {values.bind(self.most)}"


#: a session's start from its id, as sessions/ids.py has it: indexes that end in the id need not hold it, too
STARTED: Final = f"((s.session_id >> 24) + {EPOCH_MS})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: conditions that all must hold, in the order of one column."""

    window: Window
    column: str = "started_ms"
    descending: bool = True
    after: Place | None = None  # in the order of a column that is not started_ms
    conditions: list[Condition] = field(default_factory=list)

    @property
    def by_start(self) -> bool:
        """Whether the order is that of the start."""
        return self.column == "started_ms"

    def order(self, key: str, session_id: str) -> str:
        """ORDER BY."""
        return _order(key, session_id, self.descending)


def session_rows(values: Values, window: Window, limit: str) -> str:
    """The first sessions of the window."""
    return (
        "SELECT s.started_ms, s.session_id FROM sessions s"
        f" WHERE s.project_id = w.project_id{window.sql('s', values)} {window.order('s')} LIMIT {limit}"
    )


def like(text: str) -> str:
    """A LIKE pattern that matches texts containing `text` literally."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _entry(facet: str, value: str) -> str:
    return (
        f"SELECT true FROM facets f WHERE f.project_id = w.project_id AND f.facet = {facet} AND f.value = {value}"
        " AND f.started_ms = c.started_ms AND f.session_id = c.session_id"
    )


def _rows(facet: str, value: str, values: Values, window: Window, limit: str) -> str:
    return (
        "SELECT f.started_ms, f.session_id FROM facets f"
        f" WHERE f.project_id = w.project_id AND f.facet = {facet} AND f.value = {value}"
        f"{window.sql('f', values)} {window.order('f')} LIMIT {limit}"
    )


def _order(key: str, session_id: str, descending: bool) -> str:
    direction = "DESC" if descending else "ASC"
    return f"ORDER BY {key} {direction}, {session_id} {direction}"
