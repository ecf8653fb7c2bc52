"""The demo project holds sessions that look lived, and is filled once."""

from __future__ import annotations

from pathlib import Path

from playhead.cli.running import DEMO_QUIET_S, demo_settings
from playhead.database_metrics import read
from playhead.demo import KEY, VISITS, fill
from playhead.settings import load
from playhead.telemetry import render_metrics
from playhead.wiring import open_services, wall_clock
from sessions.search import ReplayFilters
from storage import ledger
from workers.runner import Worker


async def test_the_demo_sessions_are_those_that_were_played(postgres_dsn: str, tmp_path: Path) -> None:
    settings = demo_settings(load({}, data_dir=tmp_path, database_url=postgres_dsn, log_level="error"))
    told: list[tuple[int, int]] = []
    report = await fill(settings, lambda done, of: told.append((done, of)))
    assert report is not None
    assert told[-1] == (len(VISITS), len(VISITS))
    assert len(report.sessions) == len(VISITS)

    async with open_services(settings, role="work") as services:
        worker = Worker(services)
        await services.segments.sweep()
        while await worker.once():
            pass
        project = await services.projects.by_key(KEY)
        page = await services.replays.page(ReplayFilters(limit=100), [project.project_id])
        assert {session.session_id for session in page.sessions} == set(report.sessions)
        for session in page.sessions:
            sent = report.acknowledged(session.session_id).total()
            assert (await services.replays.get(session)).counts["messages"] == sent
            assert (
                len(await services.replays.frames(session)) == report.pictures_of(session.session_id).total()
            )
            # they lie in the past hour, last as long as they did on the phone, and their clocks agree
            assert wall_clock() - 3_600_000 < session.started_ms < wall_clock()
            assert 60_000 < session.duration_ms < 360_000
            assert abs(session.clock_offset_ms or 0) < 2_000
        (balance,) = await ledger.balances(services.db)
        assert balance.difference == balance.pending == 0
        await read(services)
        lines = render_metrics()[0].decode()
        project_id = project.project_id
        for fate in ("accepted", "stored", "duplicate", "expired", "quarantined", "pending"):
            line = f'playhead_ledger{{fate="{fate}",project="{project_id}",unit="record"}} '
            assert line + str(float(getattr(balance, fate))) in lines
        assert "playhead_segments_pending 0.0" in lines
    assert await fill(settings, lambda done, of: None) is None


def test_sessions_end_sooner_unless_the_user_said_when() -> None:
    assert demo_settings(load({})).session_quiet_s == DEMO_QUIET_S
    assert demo_settings(load({"PLAYHEAD_SESSION_QUIET_S": "99"})).session_quiet_s == 99
