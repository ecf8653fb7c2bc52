"""Events of any protocol from the journal to their table: each once, whatever is processed again."""

from __future__ import annotations

from typing import Any

import pytest

from events.incoming import KIND, IncomingEvent, pack
from projects.changes import ProjectCreate
from storage.ledger import Fate
from tests.flows.rig import NOW_MS, open_rig
from workers.retention import remove_expired

DAY_MS = 86_400_000


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


def event(**more: Any) -> IncomingEvent:
    at_us = NOW_MS * 1000
    values = {"source": "segment", "category": "track", "name": "Buy", "at_us": at_us, "device_us": at_us}
    return IncomingEvent(**{**values, **more})


async def append(rig, *events: IncomingEvent, **more: Any) -> None:
    await rig.append(KIND, None, pack(events), **more)


async def rows(rig) -> list[dict[str, Any]]:
    return [dict(row) for row in await rig.services.db.fetch("SELECT * FROM events ORDER BY arrival")]


async def test_events_become_rows(rig) -> None:
    sent = event(session_id="s1", user_id="ana", event_id="e1", data={"a": [1, "x"]}, device_us=5)
    await append(rig, sent, event())
    await rig.work()
    first, second = await rows(rig)
    assert {name: first[name] for name in ("source", "category", "name", "session_id", "user_id", "event_id")} == {
        "source": "segment", "category": "track", "name": "Buy", "session_id": "s1", "user_id": "ana",
        "event_id": "e1",
    }  # fmt: skip
    assert (first["at_us"], first["device_us"], first["data"]) == (NOW_MS * 1000, 5, {"a": [1, "x"]})
    assert (second["session_id"], second["event_id"], second["data"]) == ("", "", {})
    assert first["arrival"] < second["arrival"]
    assert (await rig.balance()).difference == 0
    assert (await rig.balance()).stored == 1


async def test_events_of_one_record_keep_their_order(rig) -> None:
    """Also beyond those that a microsecond tells apart."""
    await append(rig, *(event(name=str(number)) for number in range(6000)))
    await rig.work()
    found = await rig.services.db.fetch("SELECT name FROM events ORDER BY at_us, arrival, event_key")
    assert [row[0] for row in found] == [str(number) for number in range(6000)]


async def test_the_same_record_twice_is_stored_once(rig) -> None:
    body = pack([event(), event(event_id="e1")])
    for _ in range(2):
        await rig.append(KIND, None, body)
        await rig.work()
    assert len(await rows(rig)) == 2
    balance = await rig.balance()
    assert (balance.stored, balance.duplicate, balance.difference) == (1, 1, 0)


async def test_equal_events_without_an_id_stay_separate(rig) -> None:
    await append(rig, event(), event())
    await append(rig, event())
    await rig.work()
    assert len(await rows(rig)) == 3


async def test_the_same_id_on_another_day_is_the_same_event(rig) -> None:
    await append(rig, event(event_id="e1"))
    await append(rig, event(event_id="e1"), event(event_id="e2"), at_ms=NOW_MS + 2 * DAY_MS)
    await rig.work()
    await append(rig, event(event_id="e1", name="Other"), at_ms=NOW_MS + 3 * DAY_MS)
    await rig.work()
    assert [(row["event_id"], row["name"]) for row in await rows(rig)] == [("e1", "Buy"), ("e2", "Buy")]


async def test_an_id_is_a_projects_and_a_sources(rig) -> None:
    other = await rig.services.projects.create(ProjectCreate(name="Other", key="other"))
    await append(rig, event(event_id="e1"), event(event_id="e1", source="hamustro"))
    await append(rig, event(event_id="e1"), project_id=other.project_id)
    await rig.work()
    assert len(await rows(rig)) == 3


async def test_the_same_id_twice_in_one_record_is_one_event(rig) -> None:
    await append(rig, event(event_id="e1"), event(event_id="e1"))
    await rig.work()
    assert len(await rows(rig)) == 1


async def test_whatever_an_adapter_lets_through_is_stored(rig) -> None:
    long = "x" * 100_000
    await append(
        rig,
        event(session_id=long, name=long, category="\0", user_id=long, event_id=long, at_us=2**63 - 1),
        event(session_id="\0", event_id="\0", at_us=-(2**63), data={"\0": "\0", "n": 10**30}),
    )
    await rig.work()
    first, second = await rows(rig)
    assert (len(first["session_id"]), first["event_id"][:7]) == (500, "sha256:")
    assert second["data"] == {"\ufffd": "\ufffd", "n": 1e30}


async def test_unreadable_events_are_quarantined(rig) -> None:
    await rig.append(KIND, None, b"\xff")
    await append(rig, event())
    await rig.work()
    assert len(await rows(rig)) == 1
    balance = await rig.balance()
    assert (balance.quarantined, balance.stored, balance.difference) == (1, 1, 0)


async def test_retention_removes_ids_and_errors_too(rig) -> None:
    await append(rig, event(event_id="e1"), at_ms=NOW_MS)
    await rig.work()
    db = rig.services.db
    await db.execute(
        "INSERT INTO event_errors (project_id, received_us, code, codes, details, event)"
        " VALUES ($1, $2, 'x', '{x}', '[]', '1')",
        rig.project_id, NOW_MS * 1000,
    )  # fmt: skip
    for days, left in ((30, 1), (32, 0)):
        await remove_expired(db, rig.services.objects, NOW_MS + days * DAY_MS)
        for table in ("events", "event_ids", "event_errors"):
            assert await db.fetchval(f"SELECT count(*) FROM {table}") == left, (table, days)


async def test_too_old_a_project_ends_as_expired(rig) -> None:
    await append(rig, event(), project_id=99)
    await rig.work()
    assert await rows(rig) == []
    fates = await rig.services.db.fetch(
        "SELECT fate FROM ledger WHERE project_id = 99 AND fate <> 'accepted'"
    )
    assert [row[0] for row in fates] == [Fate.EXPIRED]
