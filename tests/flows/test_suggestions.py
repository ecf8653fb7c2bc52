"""Suggestions for the filters of the list: what exists, in this project, at a cost that does not follow the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from messages import encode
from messages.schema import MobileEvent, MobileMetadata, MobileUserID
from playhead.errors import ValidationFailed
from projects.changes import ProjectCreate
from sessions.search import FACETS
from sessions.suggestions import KEYS, MAX_COUNT, VALUES, Suggestion, suggest
from tests.flows.rig import NOW_MS, Rig, open_rig


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


async def put(rig: Rig, facet: str, *values: str, project_id: int | None = None, sessions: int = 1) -> None:
    """Terms, as sessions leave them."""
    await rig.services.db.execute(
        "INSERT INTO facets SELECT $1, $2, v, n, n FROM unnest($3::text[]) v, generate_series(1, $4::int) n",
        project_id or rig.project_id, facet, list(values), sessions,
    )  # fmt: skip


async def ask(rig: Rig, field: str, prefix: str = "", limit: int = 20) -> list[str]:
    found = await suggest(rig.services.db, [rig.project_id], field, prefix, limit)
    return [each.value for each in found]


async def test_what_sessions_have_is_suggested_live_and_recorded(rig) -> None:
    session_id = await rig.start(device_name="iPhone 14", os="IOS", country="DE", tracker_version="1.0.14")
    framed = [
        encode(MobileUserID("Ana"), timestamp=NOW_MS),
        encode(MobileMetadata("plan", "Pro"), timestamp=NOW_MS),
        encode(MobileEvent("buy", "{}"), timestamp=NOW_MS),
    ]
    await rig.batch(session_id, framed)
    await rig.work()
    for _ in ("live", "recorded"):
        for field, prefix, found in [
            ("platform", "I", ["ios"]),
            ("user_id", "a", ["Ana"]),
            ("device", "IPH", ["iPhone 14"]),
            ("country", "", ["DE"]),
            ("tracker_version", "1.", ["1.0.14"]),
            ("event", "b", ["buy"]),
            ("metadata", "PL", ["plan"]),
            ("metadata.plan", "p", ["Pro"]),
            ("metadata.none", "", []),
            ("view", "", []),
        ]:
            assert await ask(rig, field, prefix) == found, field
        await rig.record(session_id)
    await rig.services.replays.delete(await rig.session(session_id))
    for field in (*FACETS, "url", "metadata", "metadata.plan"):
        assert await ask(rig, field) == []


async def test_any_case_any_script_and_nothing_of_a_pattern(rig) -> None:
    await put(
        rig, "event", "Öffnen", "öl", "Über", "a%b", "a_b", "A%c", "axb", "\U0010fffe", "日本", "日本語"
    )
    assert await ask(rig, "event", "ö") == ["Öffnen", "öl"]
    assert await ask(rig, "event", "A%") == ["a%b", "A%c"]
    assert await ask(rig, "event", "日本") == ["日本", "日本語"]
    assert await ask(rig, "event", "' OR true --") == []
    everything = await ask(rig, "event", limit=100)
    assert len(everything) == 10
    for limit in range(1, 10):
        assert await ask(rig, "event", limit=limit) == everything[:limit]


async def test_other_projects_do_not_show_and_several_are_joined(rig) -> None:
    other = await rig.services.projects.create(ProjectCreate(name="Other", key="other"))
    await put(rig, "event", "both", "own", sessions=60)
    await put(rig, "event", "both", "foreign", sessions=70, project_id=other.project_id)
    await put(rig, "metadata.k1", "x")
    await put(rig, "metadata.k2", "x", project_id=other.project_id)
    assert await ask(rig, "event") == ["both", "own"]
    assert await ask(rig, "metadata") == ["k1"]
    db, projects = rig.services.db, [rig.project_id, other.project_id]
    assert await suggest(db, projects, "event", "", 2) == [
        Suggestion("both", MAX_COUNT),
        Suggestion("foreign", 70),
    ]
    assert [each.value for each in await suggest(db, projects, "metadata", "K", 9)] == ["k1", "k2"]
    assert await suggest(db, [], "event", "", 2) == []


@pytest.mark.parametrize("field", ["", "text", "label", "metadata.", "facet", "session_id", "x' OR true --"])
async def test_what_is_no_filter_is_refused(rig, field) -> None:
    with pytest.raises(ValidationFailed):
        await ask(rig, field)


async def test_the_cost_does_not_follow_the_sessions(rig) -> None:
    """15,000 sessions with one value, and as many that have each their own: a page reads some hundred rows."""
    await put(rig, "event", "A popular one", "a second", "b", sessions=5_000)
    await rig.services.db.execute(
        "INSERT INTO facets SELECT $1, 'user_id', 'user ' || n, n, n FROM generate_series(1, 15000) n",
        rig.project_id,
    )
    await put(rig, "metadata.a", "x", sessions=5_000)
    await put(rig, "metadata.b", "x")
    await rig.services.db.execute("ANALYZE facets, facet_values")
    for sql, *values in [
        (VALUES, [rig.project_id], "event", "a", 20, MAX_COUNT),
        (VALUES, [rig.project_id], "user_id", "USER 1", 20, MAX_COUNT),
        (VALUES, [rig.project_id], "user_id", "", 20, MAX_COUNT),
        (KEYS, [rig.project_id], 500),
    ]:
        plan = await rig.services.db.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *values)
        scans = list(scans_of(plan[0]["Plan"]))
        assert scans
        assert {each["Node Type"] for each in scans} <= {"Index Scan", "Index Only Scan"}
        assert sum((each["Actual Rows"] + 1) * each["Actual Loops"] for each in scans) < 500, scans


def scans_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node.get("Relation Name") in ("facets", "facet_values"):
        yield node
        assert node.get("Rows Removed by Filter", 0) == 0
    for each in node.get("Plans", []):
        yield from scans_of(each)
