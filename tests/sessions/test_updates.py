"""SessionUpdate and apply_updates on real Postgres: merging, order, fail-over, what a start record fills in."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.errors import DatabaseUnavailable
from playhead.settings import load
from sessions import Session, SessionStart, SessionUpdate, apply_updates, store
from sessions.ids import MAX_ID, compose
from sessions.model import COUNTERS, MAX_MS
from sessions.updates import Failed, merge
from storage.postgres import Database, open_pool

STARTED = 1_700_000_000_000
_ids = itertools.count(1)


def new_id(started_ms: int = STARTED) -> int:
    return compose(started_ms, next(_ids))


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[Database]:
    async with open_pool(load({}, database_url=postgres_dsn), size=3) as opened:
        yield opened


async def apply(db: Database, *updates: SessionUpdate) -> list[Failed]:
    async with db.transaction() as conn:
        return await apply_updates(conn, updates)


async def row(db: Database, session_id: int, project_id: int = 1) -> Session:
    session = await store.get(db, project_id, session_id)
    assert session is not None
    return session


START = SessionStart(
    platform="ios",
    user_uuid="U-1",
    device_model="iPhone15,2",
    device_name="iPhone 14 Pro",
    device_type="mobile",
    os="iOS",
    os_version="17.4",
    memory_kb=5_800_000,
    width=393,
    height=852,
    tracker_version="1.0.14",
    revision="42",
    timezone="UTC+02:00",
    country="DE",
    state="Hesse",
    city="Kassel",
    device_start_ms=STARTED - 7,
    info={"performances": {"batteryLevel": 90}},
)


async def test_an_orphan_batch_makes_a_session(db: Database):
    session_id = new_id()
    update = SessionUpdate(1, session_id, platform="android", user_uuid="u", messages=3, bytes=100)
    update.seen(STARTED + 5000)
    update.seen(STARTED + 1000)
    update.received(STARTED + 6000, due_ms=STARTED + 156_000)
    update.offset(250)
    assert await apply(db, update) == []
    session = await row(db, session_id)
    assert session == Session(
        project_id=1,
        session_id=session.session_id,
        started_ms=STARTED,
        platform="android",
        user_uuid="u",
        device_first_ms=STARTED + 1000,
        device_last_ms=STARTED + 5000,
        clock_offset_ms=250,
        first_received_ms=STARTED + 6000,
        last_received_ms=STARTED + 6000,
        due_ms=STARTED + 156_000,
        duration_ms=5250,
        messages=3,
        bytes=100,
        revision_no=1,
    )
    assert session.live and not session.known


@pytest.mark.parametrize("start_first", [True, False])
async def test_the_start_record_fills_in_its_attributes_whenever_it_comes(db: Database, start_first: bool):
    session_id = new_id()
    start = SessionUpdate(1, session_id, start=START)
    start.received(STARTED + 10)
    orphan = SessionUpdate(1, session_id, platform="android", user_uuid="zzz", messages=1)
    orphan.received(STARTED + 20)
    for update in (start, orphan) if start_first else (orphan, start):
        await apply(db, update)
    session = await row(db, session_id)
    assert session.known
    for each in fields(SessionStart):
        if each.name != "info":
            assert getattr(session, each.name) == getattr(START, each.name), each.name
    assert session.start_info == START.info
    assert (session.messages, session.first_received_ms, session.revision_no) == (1, STARTED + 10, 2)


async def test_a_start_and_its_batches_in_one_call(db: Database):
    session_id = new_id()
    await apply(db, SessionUpdate(1, session_id, messages=1), SessionUpdate(1, session_id, start=START))
    session = await row(db, session_id)
    assert session.known and session.device_model == "iPhone15,2" and session.messages == 1


async def test_a_second_start_record_changes_nothing(db: Database):
    session_id = new_id()
    await apply(db, SessionUpdate(1, session_id, start=START))
    await apply(
        db, SessionUpdate(1, session_id, start=replace(START, device_model="other", width=1, info={}))
    )
    assert (await row(db, session_id)).device_model == "iPhone15,2"
    assert (await row(db, session_id)).start_info == START.info


async def test_counters_add_up_over_calls_and_projects_stay_apart(db: Database):
    session_id = new_id()
    counts: dict[str, Any] = {name: place for place, name in enumerate(COUNTERS, 1)}
    for _ in range(3):
        await apply(db, SessionUpdate(1, session_id, **counts), SessionUpdate(2, session_id, messages=7))
    session = await row(db, session_id)
    assert {name: getattr(session, name) for name in COUNTERS} == {k: 3 * v for k, v in counts.items()}
    assert (await row(db, session_id, 2)).messages == 21


async def test_the_last_said_user_and_metadata_stay_and_silence_changes_nothing(db: Database):
    session_id = new_id()
    await apply(db, SessionUpdate(1, session_id, user_id="one", metadata={"plan": "free", "shop": "a"}))
    await apply(db, SessionUpdate(1, session_id, anonymous_id="anon"))
    await apply(
        db,
        SessionUpdate(1, session_id, user_id="two", metadata={"plan": "pro"}),
        SessionUpdate(1, session_id, user_id="three"),
    )
    await apply(db, SessionUpdate(1, session_id, messages=1))
    session = await row(db, session_id)
    assert (session.user_id, session.anonymous_id) == ("three", "anon")
    assert session.metadata == {"plan": "pro", "shop": "a"}


@pytest.mark.parametrize(
    ("device_last", "offset", "received", "duration"),
    [
        (STARTED + 5000, 0, STARTED + 6000, 5000),
        (STARTED + 5000, 300, STARTED + 6000, 5300),
        (STARTED + 50_000, 0, STARTED + 6000, 6000),  # a device that runs ahead
        (STARTED - 3_600_000, 3_601_000, STARTED + 6000, 1000),  # a device that is an hour late
        (STARTED - 5000, 0, STARTED + 6000, 0),  # never below zero
        (STARTED + 5000, None, STARTED + 6000, 6000),  # no batch meta: only the arrival is known
        (None, None, STARTED + 10, 10),
        (None, None, None, 0),
        (MAX_MS * 1000, 0, STARTED + 6000, 6000),  # nonsense from the wire
        (STARTED + 5000, -(2**62), STARTED + 6000, 0),
    ],
)
async def test_duration_is_corrected_and_bounded_by_arrival(
    db: Database, device_last: int | None, offset: int | None, received: int | None, duration: int
):
    session_id = new_id()
    await apply(
        db,
        SessionUpdate(
            1, session_id, device_last_ms=device_last, clock_offset_ms=offset, last_received_ms=received
        ),
    )
    assert (await row(db, session_id)).duration_ms == duration
    await apply(db, SessionUpdate(1, session_id, messages=1))
    assert (await row(db, session_id)).duration_ms == duration


async def test_a_follow_up_session_names_the_one_it_continues(db: Database):
    before, session_id = new_id(), new_id()
    await apply(db, SessionUpdate(1, session_id, continues=before), SessionUpdate(1, session_id, start=START))
    assert (await row(db, session_id)).continues == before


async def test_an_update_that_cannot_be_held_fails_alone(db: Database):
    good = [SessionUpdate(1, new_id(), messages=5) for _ in range(3)]
    bad = [
        SessionUpdate(1, new_id(), messages=2**63),
        SessionUpdate(2**31, new_id(), messages=1),
        SessionUpdate(1, MAX_ID + 1, messages=1),
        SessionUpdate(1, new_id(), bytes=2**70),
        SessionUpdate(1, new_id(), start=replace(START, width=2**31)),
    ]
    failed = await apply(db, good[0], *bad, good[1], good[2])
    assert {each.update.session_id for each in failed} == {each.session_id for each in bad}
    assert all(each.reason for each in failed)
    for update in good:
        assert (await row(db, update.session_id)).messages == 5


async def test_counters_are_not_applied_twice_when_the_bulk_statement_fails(db: Database):
    session_id = new_id()
    await apply(db, SessionUpdate(1, session_id, messages=1))
    await apply(db, SessionUpdate(1, session_id, messages=10), SessionUpdate(1, new_id(), messages=2**63))
    session = await row(db, session_id)
    assert (session.messages, session.revision_no) == (11, 2)


async def test_the_callers_transaction_goes_on_after_a_failure(db: Database):
    session_id = new_id()
    async with db.transaction() as conn:
        failed = await apply_updates(conn, [SessionUpdate(1, session_id, messages=2**63)])
        assert len(failed) == 1
        assert await conn.fetchval("SELECT 1") == 1
    assert await store.get(db, 1, session_id) is None


async def test_text_that_postgres_cannot_hold_is_made_to_fit(db: Database):
    session_id = new_id()
    await apply(
        db,
        SessionUpdate(
            1,
            session_id,
            user_id="a\0b\udc80" + "x" * 10_000,
            user_uuid="u" * 10_000,
            metadata={"k\0": "v\0\ud800"},
            start=SessionStart.from_meta({"platform": "ios\0", "info": {"a\0": ["b\0", {"c": "\udfff"}]}}),
        ),
    )
    session = await row(db, session_id)
    assert session.user_id == "ab?" + "x" * 7996
    assert len(session.user_uuid) == 200
    assert session.metadata == {"k": "v?"}
    assert (session.platform, session.start_info) == ("ios", {"a": ["b", {"c": "?"}]})


async def test_a_lost_connection_is_no_updates_fault(db: Database):
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as conn:
            async with db.acquire() as other:
                await other.execute(
                    "SELECT pg_terminate_backend($1)", await conn.fetchval("SELECT pg_backend_pid()")
                )
            await apply_updates(conn, [SessionUpdate(1, new_id(), messages=1)])


async def test_concurrent_transactions_on_the_same_sessions_add_up(db: Database):
    ids = [new_id() for _ in range(20)]

    async def one_worker(seed: int) -> None:
        for step in range(10):
            order = ids[seed:] + ids[:seed] if step % 2 else ids[::-1]
            await apply(db, *(SessionUpdate(1, session_id, messages=1) for session_id in order))

    await asyncio.gather(*(one_worker(seed) for seed in range(3)))
    assert {(await row(db, session_id)).messages for session_id in ids} == {30}


async def test_no_updates_are_no_work(db: Database):
    assert await apply(db) == []


# -- any order, any grouping

LAST_SAID = {"user_id", "anonymous_id", "metadata"}
times = st.none() | st.integers(STARTED - 10**7, STARTED + 10**7)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]:
    """Updates of one session in some order, the same in another order, and where to cut them into calls."""
    one = st.fixed_dictionaries(
        {
            "start": st.sampled_from([None, None, START]),
            "platform": st.sampled_from(["", "ios"]),
            "user_uuid": st.sampled_from(["", "U-1"]),
            "legacy": st.booleans(),
            "continues": st.sampled_from([None, 5]),
            "user_id": st.sampled_from(["", "a", "b"]),
            "anonymous_id": st.sampled_from(["", "c", "d"]),
            "metadata": st.dictionaries(st.sampled_from("xyz"), st.sampled_from("123"), max_size=2),
            "device_first_ms": times,
            "device_last_ms": times,
            "clock_offset_ms": st.none() | st.integers(-(10**6), 10**6),
            "first_received_ms": times,
            "last_received_ms": times,
            "due_ms": times,
            **{name: st.integers(0, 5) for name in COUNTERS},
        }
    )
    updates = draw(st.lists(one, min_size=1, max_size=6))
    cuts = sorted(draw(st.sets(st.integers(1, len(updates)))))
    return updates, draw(st.permutations(updates)), cuts


async def written(db: Database, updates: list[dict[str, Any]], cuts: list[int]) -> dict[str, Any]:
    """The row after these updates, each group in a transaction of its own; without what must differ."""
    session_id = new_id()
    for begin, end in itertools.pairwise([0, *cuts, len(updates)]):
        assert (
            await apply(db, *(SessionUpdate(1, session_id, **values) for values in updates[begin:end])) == []
        )
    values = asdict(await row(db, session_id))
    return {name: value for name, value in values.items() if name not in ("session_id", "revision_no")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_any_grouping_of_updates_gives_the_same_row(
    db: Database, history: tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]
):
    updates, _, cuts = history
    together = await written(db, updates, [])
    assert await written(db, updates, cuts) == together
    assert await written(db, updates, list(range(1, len(updates)))) == together


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_any_order_of_updates_gives_the_same_row_but_for_what_was_said_last(
    db: Database, history: tuple[list[dict[str, Any]], list[dict[str, Any]], list[int]]
):
    updates, shuffled, cuts = history
    one, other = await written(db, updates, []), await written(db, shuffled, cuts)
    assert {k: v for k, v in one.items() if k not in LAST_SAID} == {
        k: v for k, v in other.items() if k not in LAST_SAID
    }


def test_merging_leaves_the_given_updates_alone_and_sorts_by_key():
    updates = [
        SessionUpdate(2, 7, messages=1),
        SessionUpdate(1, 9, messages=1),
        SessionUpdate(2, 7, messages=2),
    ]
    merged = merge(updates)
    assert [(each.project_id, each.session_id, each.messages) for each in merged] == [(1, 9, 1), (2, 7, 3)]
    assert [each.messages for each in updates] == [1, 1, 2]


def test_a_start_survives_the_way_through_a_records_meta():
    assert SessionStart.from_meta(START.to_meta()) == START
    assert SessionStart.from_meta({}) == SessionStart()
    assert SessionStart().to_meta() == {}


def test_meta_of_any_kind_is_made_to_fit():
    start = SessionStart.from_meta(
        {
            "platform": 5,
            "width": 10**30,
            "height": -3.7,
            "memory_kb": float("nan"),
            "device_start_ms": "x",
            "continues": 0,
            "info": [],
            "unknown": 1,
            "user_uuid": "x" * 500,
        }
    )
    assert start == SessionStart(width=2**31 - 1, device_start_ms=0, user_uuid="x" * 200)
