"""The session list: every filter by itself and together, pages that neither skip nor repeat, values that are bound."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from messages import encode
from messages.schema import (
    MobileClickEvent,
    MobileCrash,
    MobileEvent,
    MobileMetadata,
    MobileNetworkCall,
    MobileUserID,
    MobileViewComponentEvent,
)
from playhead.errors import ValidationFailed
from projects.changes import ProjectCreate
from sessions.cursors import encode_cursor
from sessions.search import SORTS, ReplayFilters, wanted_of
from tests.flows.rig import NOW_MS, Rig, open_rig


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


async def fill(rig: Rig) -> dict[str, int]:
    """Three sessions with something of their own each, a second apart."""
    made = {}
    for number, name in enumerate(("ana", "bob", "eve")):
        at = NOW_MS + number * 1000
        session_id = await rig.start(
            at_ms=at, device_name=f"iPhone 1{number}", os="IOS", country="DE" if number else "FR"
        )
        framed = [
            encode(MobileUserID(name), timestamp=at),
            encode(MobileMetadata("plan", "pro" if number else "free"), timestamp=at + 1),
            encode(MobileMetadata("appVersion", f"4.1{number}.0"), timestamp=at + 1),
            encode(MobileEvent(f"buy_{name}", "{}"), timestamp=at + 2),
            encode(MobileViewComponentEvent(f"Screen {name}", "V", True), timestamp=at + 3),
            encode(
                MobileNetworkCall("request", "GET", f"https://api/{name}/cart?x=1", "", "", 200, 1),
                timestamp=at + 4,
            ),
            *[
                encode(MobileClickEvent("100%_sure", 1, 1), timestamp=at + 5 + n * 1000)
                for n in range(number)
            ],
        ]
        if name == "eve":
            framed.append(encode(MobileCrash("Boom", "because", "0 App main"), timestamp=at + 6))
        await rig.batch(session_id, framed, at_ms=at + 60_000, meta_ms=at + 60_000)
        made[name] = session_id
    await rig.work()
    return made


async def found(rig: Rig, **filters) -> set[int]:
    page = await rig.services.replays.page(ReplayFilters(**filters), [rig.project_id])
    return {session.session_id for session in page.sessions}


async def test_each_filter_finds_what_it_names_live_and_recorded(rig) -> None:
    made = await fill(rig)
    ana, bob, eve = made["ana"], made["bob"], made["eve"]
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({}, {ana, bob, eve}),
        ({"facets": {"user_id": "bob"}}, {bob}),
        ({"facets": {"device": "iPhone 12"}}, {eve}),
        ({"facets": {"os": "iOS"}}, {ana, bob, eve}),
        ({"facets": {"country": "DE"}}, {bob, eve}),
        ({"facets": {"app_version": "4.11.0"}}, {bob}),
        ({"facets": {"app_version": "N/A"}}, set()),
        ({"facets": {"issue": "crash"}}, {eve}),
        ({"facets": {"event": "buy_ana"}}, {ana}),
        ({"facets": {"view": "Screen bob"}}, {bob}),
        ({"metadata": {"plan": "pro"}}, {bob, eve}),
        ({"facets": {"country": "DE", "event": "buy_bob"}, "metadata": {"plan": "pro"}}, {bob}),
        ({"url": "BOB/cart"}, {bob}),
        ({"url": "nowhere"}, set()),
        ({"text": "boom"}, {eve}),
        ({"text": "100%_sure"}, {bob, eve}),
        ({"text": "100x_sure"}, set()),
        ({"from_ms": NOW_MS + 1000}, {bob, eve}),
        ({"to_ms": NOW_MS + 1000}, {ana, bob}),
        ({"min_duration_ms": 1000}, {eve}),
        ({"max_duration_ms": 1000}, {ana, bob}),
        ({"facets": {"user_id": "' OR 1=1 --"}}, set()),
        ({"metadata": {"pl') OR ('1'='1": "pro"}}, set()),
    ]
    for recorded in (False, True):
        for filters, expected in cases:
            assert await found(rig, **filters) == expected, (filters, recorded)
        for session_id in made.values():
            await rig.record(session_id)


async def test_another_project_is_never_listed(rig) -> None:
    await fill(rig)
    other = await rig.services.projects.create(ProjectCreate(name="Other", key="other"))
    page = await rig.services.replays.page(ReplayFilters(), [other.project_id])
    assert page.sessions == []
    assert (await rig.services.replays.page(ReplayFilters(), [])).sessions == []


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_neither_skip_nor_repeat_while_sessions_arrive(rig, sort) -> None:
    for number in range(25):
        session_id = await rig.start(at_ms=NOW_MS + number // 3)
        await rig.batch(
            session_id,
            [encode(MobileEvent("e", str(n)), timestamp=NOW_MS + n * 100) for n in range(number % 4)],
        )
    await rig.work()
    before = {
        s.session_id for s in (await rig.services.replays.page(ReplayFilters(limit=100), None)).sessions
    }
    filters = ReplayFilters(sort=sort, limit=4)
    seen: list[int] = []
    while True:
        page = await rig.services.replays.page(filters, [rig.project_id])
        seen += [session.session_id for session in page.sessions]
        if page.next_cursor is None:
            break
        if len(seen) == 8:
            await rig.start(at_ms=NOW_MS + 9_000)
            await rig.work()
        filters = dataclasses.replace(filters, cursor=page.next_cursor)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize(
    "cursor", ["x", "", "bnVsbA", "WzEsMl0", "W10", "e30", "WyJuZXdlc3QiLDEsdHJ1ZV0", "é"]
)
def test_a_cursor_that_is_none_is_refused(cursor) -> None:
    with pytest.raises(ValidationFailed):
        wanted_of(ReplayFilters(cursor=cursor))


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(ValidationFailed):
        wanted_of(ReplayFilters(sort="longest", cursor=encode_cursor("newest", 1, 2)))
