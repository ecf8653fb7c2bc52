"""One page of GET /api/v1/sessions over few and over many events, beside grouping the events themselves.

    python -m benchmarks.bench_event_sessions [--events 1000000] [--days 30]

Ten events a session in so many day partitions; every hundredth session lasts for days, every thousandth has a
category of its own. A thousand users have all events but those of one who has an event in each session. The last
session has a tenth as many events as all others.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import time
from typing import Any

import structlog

from benchmarks import machine
from benchmarks.house import open_house
from events.search import EventFilters, session_cursor
from events.session_list import sessions_page
from playhead.wiring import Services
from storage.migrate import known

PER_SESSION = 10
ROUNDS = 15
DAY_US = 86_400_000_000
#: midnight of 1 January 2026
BEGIN_US = 1_767_225_600_000_000
#: behind all sessions but one
END_US = BEGIN_US + 100 * DAY_US

FILL = f"""
INSERT INTO events
SELECT $1, date '2026-01-01' + (n % $4)::int, 'session-' || n, int8send(n * {PER_SESSION} + k) || int8send(n),
    CASE WHEN n % 3 = 0 THEN 'json' ELSE 'mobile' END,
    CASE WHEN n % 1000 = 7 AND k = 3 THEN 'rare' ELSE 'category ' || k % 5 END, 'name',
    {BEGIN_US} + (n % $4) * {DAY_US} + n % 86400 * 1000000
        + k * CASE WHEN n % 100 = 3 THEN {DAY_US} ELSE 60000000 END,
    0, n * {PER_SESSION} + k, CASE WHEN k = 4 THEN 'ana' ELSE 'user-' || n % 1000 END, '', '{{"Label": "Buy"}}'
FROM generate_series($2::bigint, $3::bigint) n CROSS JOIN generate_series(0, {PER_SESSION - 1}) k
"""
FILL_HUGE = f"""
INSERT INTO events
SELECT $1, date '2026-01-01' + (n % $3)::int, 'huge', uuid_send(md5(n::text)::uuid), 'json', 'category 1', 'name',
    {END_US} + n * 1000, 0, n, '', '', '{{"Label": "Buy"}}'
FROM generate_series(1, $2::bigint) n
"""
GROUPED = """
SELECT session_id, count(*), min(at_us), max(at_us) FROM events WHERE project_id = $1
GROUP BY session_id ORDER BY min(at_us), session_id LIMIT 101
"""


async def fill(services: Services, project_id: int, sessions: int, days: int) -> None:
    """Events and their summaries."""
    async with services.db.acquire() as conn:
        await conn.execute("SET statement_timeout = 0")
        for day in range(days):
            name = f"events_202601{day + 1:02}"
            await conn.execute(
                f"CREATE TABLE {name} PARTITION OF events FOR VALUES FROM (date '2026-01-01' + {day}) "
                f"TO (date '2026-01-01' + {day + 1})"
            )
        for first in range(0, sessions, 20_000):
            await conn.execute(FILL, project_id, first, min(first + 20_000, sessions) - 1, days, timeout=600)
        await conn.execute(FILL_HUGE, project_id, sessions * PER_SESSION // 10, days, timeout=600)
        counting = next(each for each in known() if each.name.endswith("event_sessions_of_before"))
        await conn.execute(counting.sql, timeout=600)
        await conn.execute("ANALYZE events, event_sessions, event_session_categories", timeout=600)


def questions(days: int) -> dict[str, EventFilters]:
    """What is asked, by name."""
    middle = BEGIN_US + days * DAY_US // 2
    end = middle + DAY_US // 24
    return {
        "first page": EventFilters(),
        "page in the middle": EventFilters(cursor=session_cursor(middle, "")),
        "an hour": EventFilters(start_us=middle, end_us=end),
        "since yesterday": EventFilters(start_us=BEGIN_US + (days - 1) * DAY_US),
        "a common category": EventFilters(exact={"category": "category 1"}),
        "a rare category": EventFilters(exact={"category": "rare"}),
        "an hour of a category": EventFilters(exact={"category": "category 1"}, start_us=middle, end_us=end),
        "a source": EventFilters(exact={"source": "json"}),
        "a user": EventFilters(exact={"user_id": "user-5"}),
        "a user, a category": EventFilters(exact={"user_id": "user-5", "category": "rare"}),
        "a user of all sessions": EventFilters(exact={"user_id": "ana"}),
        "the same, a source, an hour": EventFilters(
            exact={"user_id": "ana", "source": "json"}, start_us=middle, end_us=end
        ),
        "a member of data": EventFilters(data={("Label",): "Buy"}),
        "the same, none": EventFilters(data={("Label",): "none"}),
        "the same, none, an hour": EventFilters(data={("Label",): "none"}, start_us=middle, end_us=end),
        "the same, none, by user": EventFilters(exact={"user_id": "ana"}, data={("Label",): "none"}),
        "the same, none, longest": EventFilters(data={("Label",): "none"}, cursor=session_cursor(END_US, "")),
    }


async def _median_ms(work: Any) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


async def run(events: int, days: int) -> None:
    """Print one column of the table."""
    async with open_house(query_timeout_s=60) as (services, project_id):
        await fill(services, project_id, events // PER_SESSION, days)
        print(f"{events:,} events of {events // PER_SESSION:,} sessions, pages of 100")
        for name, filters in questions(days).items():
            rows = len((await sessions_page(services.db, project_id, filters))[0])
            spent = await _median_ms(lambda wanted=filters: sessions_page(services.db, project_id, wanted))
            print(f"  {name:<24}{spent:>9.1f} ms   {rows} rows")
        began = time.perf_counter()
        await services.db.fetch(GROUPED, project_id)
        print(f"  {'bare GROUP BY of events':<24}{(time.perf_counter() - began) * 1000:>9.1f} ms")


def main() -> None:
    """Entry."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, nargs="*", default=[10_000, 1_000_000])
    arguments.add_argument("--days", type=int, default=30)
    chosen = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(f"machine: {machine.describe()}")
    for events in chosen.events:
        asyncio.run(run(events, chosen.days))


if __name__ == "__main__":
    main()
