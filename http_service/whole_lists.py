"""Pages of lists that are read whole: projects, a project's API keys, a session's pictures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from http_service.models import WholeListQuery

Row = TypeVar("Row")


def page_of(
    rows: Sequence[Row], places: Sequence[int], query: WholeListQuery
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page and the next one's cursor. `places`: rising numbers, a row's the same on every reading."""
    first = 0 if query.cursor is None else bisect_right(places, int(query.cursor))
    end = len(rows) if query.limit is None else min(first + query.limit, len(rows))
    return rows[first:end], str(places[end - 1]) if end < len(rows) else None
