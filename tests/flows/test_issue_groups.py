"""Issues over sessions: each counted once, whatever is recorded again or erased, and listed page by page."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from typing import Any

import pytest

from messages import encode
from messages.schema import MobileClickEvent, MobileCrash, MobileUserID
from playhead.errors import ValidationFailed
from projects.changes import ProjectCreate
from sessions import issues
from sessions.heuristics import Finding
from sessions.issue_groups import SORTS, IssueGroup, Sort, page
from sessions.model import Session, new_session
from tests.flows.rig import NOW_MS, Rig, open_rig

#: what the groups must be at any time, from the issues alone
TRUTH = """
SELECT fingerprint, type, count(*) AS count, count(DISTINCT session_id) AS sessions,
    count(DISTINCT user_key) AS users, min(seen_ms) AS first_ms, max(seen_ms) AS last_ms
FROM issues WHERE project_id = $1 GROUP BY 1, 2 ORDER BY 1
"""
GROUPS = """
SELECT fingerprint, type, count, sessions, users, first_ms, last_ms FROM issue_groups
WHERE project_id = $1 ORDER BY fingerprint
"""


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


async def listed(rig: Rig, **more: Any) -> list[IssueGroup]:
    wanted: dict[str, Any] = {"type": None, "sort": "newest", "limit": 100, "cursor": None, **more}
    return (await page(rig.services.db, rig.project_id, **wanted)).issues


async def send(
    rig: Rig, session_id: int, user: str, *, crash_at: int, index: int = 0, taps: bool = False
) -> None:
    framed = [
        encode(MobileUserID(user), timestamp=crash_at),
        encode(MobileCrash("Boom", f"of {user}", "0 App 0x1 main + 4"), timestamp=crash_at),
        *(encode(MobileClickEvent("Pay", 1, 1), timestamp=crash_at + n * 100) for n in range(3 * taps)),
    ]
    await rig.batch(session_id, framed, index=index, at_ms=crash_at + 1000, meta_ms=crash_at + 1000)


async def test_sessions_with_one_crash_are_one_issue(rig) -> None:
    ids = []
    for number, user in enumerate(("ana", "bob", "ana")):
        at = NOW_MS + number * 10_000
        ids.append(await rig.start(at_ms=at))
        await send(rig, ids[-1], user, crash_at=at + 100, taps=number == 1)
    await rig.work()
    assert await listed(rig) == []  # sessions that may still change are not counted
    for session_id in ids:
        await rig.record(session_id)
    crash, rage = await listed(rig)
    assert (crash.type, crash.title) == ("crash", "Boom: of ana")
    assert (crash.count, crash.sessions, crash.users) == (3, 3, 2)
    assert (crash.first_ms, crash.last_ms) == (NOW_MS + 100, NOW_MS + 20_100)
    assert [(each.session_id, each.seen_ms) for each in crash.replays] == [
        (ids[2], NOW_MS + 20_100),
        (ids[1], NOW_MS + 10_100),
        (ids[0], NOW_MS + 100),
    ]
    assert (rage.type, rage.title, rage.sessions) == ("tap_rage", "Pay", 1)
    assert await listed(rig, type="tap_rage") == [rage]

    await send(
        rig, ids[1], "eve", crash_at=NOW_MS + 11_000, index=50
    )  # late: once more, and it was another user
    await rig.work()
    for _ in range(2):
        await rig.record(ids[1])
        crash = (await listed(rig, type="crash"))[0]
        assert (crash.count, crash.sessions, crash.users) == (4, 3, 2)

    await rig.services.replays.delete(await rig.session(ids[2]))
    crash = (await listed(rig, type="crash"))[0]
    assert (crash.count, crash.sessions, crash.users, crash.last_ms) == (3, 2, 2, NOW_MS + 11_000)
    assert crash.title == "Boom: of eve"
    for session_id in ids[:2]:
        await rig.services.replays.delete(await rig.session(session_id))
    assert await listed(rig) == []
    assert await rig.services.db.fetchval("SELECT count(*) FROM issue_users") == 0


async def test_a_phones_clock_moves_no_issue_out_of_its_session(rig) -> None:
    session = dataclasses.replace(new_session(rig.project_id, 1), started_ms=1000, last_received_ms=5000)
    found = [Finding("crash", at_ms, "x", str(at_ms)) for at_ms in (-(2**60), 0, 3000, 2**62)]
    async with rig.services.db.transaction() as conn:
        await issues.replace(conn, session, found)
    assert sorted(each.last_ms for each in await listed(rig)) == [1000, 1000, 3000, 5000]


async def test_counts_hold_whatever_is_recorded_and_erased_at_once(rig) -> None:
    """Four workers on the same few sessions and groups, in any order."""
    dice = random.Random(7)

    def session(number: int) -> Session:
        return dataclasses.replace(
            new_session(rig.project_id, number + 1),
            started_ms=number * 1000,
            last_received_ms=number * 1000 + 900,
            user_uuid=f"user {number % 3}",
        )

    def findings() -> list[Finding]:
        return [
            Finding("crash", dice.randrange(10**6), f"title {n}", f"group {dice.randrange(5)}")
            for n in range(dice.randrange(7))
        ]

    async def change(number: int, found: list[Finding] | None, user: str) -> None:
        async with rig.services.db.transaction() as conn:
            if found is None:
                await issues.remove(conn, rig.project_id, number + 1)
            else:
                await issues.replace(conn, session(number), found, user=user)

    async def work(numbers: list[int]) -> None:
        for number in numbers:
            await change(number, None if dice.random() < 0.2 else findings(), dice.choice(["", "ana", "bob"]))

    for _ in range(5):
        # a session has one worker at a time, as the finalizer's claims see to it; groups are anybody's
        order = dice.sample(range(16), 16)
        await asyncio.gather(*(work(order[n::4]) for n in range(4)))
        db = rig.services.db
        truth = [dict(row) for row in await db.fetch(TRUTH, rig.project_id)]
        assert [dict(row) for row in await db.fetch(GROUPS, rig.project_id)] == truth
        users = "SELECT count(*) FROM issue_users"
        assert await db.fetchval(users) == sum(row["users"] for row in truth)
    for number in range(16):
        await change(number, None, "")
    assert await listed(rig) == []


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_neither_skip_nor_repeat_and_read_what_they_show(rig, sort: Sort) -> None:
    other = await rig.services.projects.create(ProjectCreate(name="Other", key="other"))
    await rig.services.db.execute(
        "INSERT INTO issue_groups SELECT p, sha256((p || '.' || n)::bytea),"
        " CASE n % 10 WHEN 0 THEN 'anr' ELSE 'crash' END, n::text, n, n % 7 + 1, 1, n / 5, n / 5"
        " FROM generate_series(1, 3000) n, unnest($1::int[]) p",
        [rig.project_id, other.project_id],
    )
    await rig.services.db.execute("ANALYZE issue_groups")
    seen: list[IssueGroup] = []
    cursor = None
    while True:
        found = await page(rig.services.db, rig.project_id, type="anr", sort=sort, limit=70, cursor=cursor)
        seen += found.issues
        cursor = found.next_cursor
        if cursor is None:
            break
    assert len(seen) == len({each.fingerprint for each in seen}) == 300
    ranks = [(each.last_ms if sort == "newest" else each.sessions, each.fingerprint) for each in seen]
    assert ranks == sorted(ranks, reverse=True)
    from sessions.issue_groups import PAGES

    plan = await rig.services.db.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {PAGES[sort]}", rig.project_id, None, ranks[0][0], ranks[0][1], 20
    )
    assert plan[0]["Plan"]["Plans"][0]["Node Type"] == "Index Scan"
    assert plan[0]["Plan"]["Plans"][0]["Actual Rows"] == 20


@pytest.mark.parametrize(
    "cursor", ["x", "", "bnVsbA", "W10", "WyJuZXdlc3QiLDEsIngiXQ", "WyJtb3N0X3Nlc3Npb25zIiwxLCIiXQ"]
)
async def test_a_cursor_that_is_none_is_refused(rig, cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        await listed(rig, cursor=cursor)
