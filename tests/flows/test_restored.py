"""A backup that is older than an erasure brings nobody back: what was erased is erased again."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from events import refusals
from events.incoming import KIND, IncomingEvent, pack
from http_service.erasing import erase_user, remains_of_users
from messages import encode
from messages.schema import MobileUserID
from playhead.errors import NotFound
from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from sessions import erasure
from storage import doomed, journal_clearing
from storage.segment_file import Record
from tests.flows.rig import NOW_MS, Clock, open_rig
from tests.flows.test_erasing import AFTER_MS
from tests.flows.test_processing import told as tapped
from workers import erasing, restored
from workers.restored import NoErasure, erase_again, read
from workers.runner import Worker

#: so long that only its beginning and its hash are kept
ANA = "https://accounts.example/" + 300 * "x" + "ana"


@asynccontextmanager
async def opened(dsn: str, folder: Path, clock: Clock) -> AsyncIterator[Services]:
    """Services over what is there."""
    settings = Settings(database_url=dsn, data_dir=folder, segment_max_age_ms=20)
    async with open_services(settings, role="work", clock=clock) as services:
        yield services


@asynccontextmanager
async def copied(dsn: str) -> AsyncIterator[str]:
    """The database as it is now, under another name."""
    parts = urlsplit(dsn)
    name, copy = parts.path[1:], f"{parts.path[1:]}_copy"
    conn = await asyncpg.connect(parts._replace(path="/postgres").geturl())
    await conn.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
    try:
        yield parts._replace(path=f"/{copy}").geturl()
    finally:
        await conn.execute(f"DROP DATABASE {copy} WITH (FORCE)")
        await conn.close()


def event(name: str, user_id: str, at_ms: int = NOW_MS) -> bytes:
    at_us = at_ms * 1000
    made = IncomingEvent(
        source="segment", category="track", name=name, at_us=at_us, device_us=at_us, user_id=user_id
    )
    return pack([made])


async def names(services: Services) -> list[str]:
    rows = await services.db.fetch("SELECT name FROM events WHERE source = 'segment' ORDER BY name")
    return [row[0] for row in rows]


async def test_what_was_erased_is_erased_again_after_a_restore(postgres_dsn: str, tmp_path: Path) -> None:
    async with open_rig(postgres_dsn, tmp_path / "was") as rig:
        old = await rig.services.projects.create(ProjectCreate(name="Old", key="old"))
        gone, of_ana, other = [await rig.start() for _ in range(3)]
        for session_id in (gone, other):
            await rig.batch(session_id, tapped(NOW_MS))
        await rig.batch(of_ana, [encode(MobileUserID(ANA), timestamp=NOW_MS)])
        await rig.append(KIND, None, event("Hers", ANA))
        await rig.append(KIND, None, event("His", "bob"))
        await rig.append(KIND, None, event("Old", "bob"), project_id=old.project_id)
        await rig.work()
        await rig.record(gone)
        for user in (ANA, "bob"):
            refused = refusals.Refusal(
                code="bad",
                details=(),
                session_id=None,
                category=None,
                event=f'{{"user_id": "{user}"}}'.encode(),
            )
            await refusals.add(rig.services.db, rig.project_id, NOW_MS * 1000, [refused])
        project_id, clock = rig.project_id, rig.clock
    async with copied(postgres_dsn) as copy:
        shutil.copytree(tmp_path / "was", tmp_path / "is")
        clock.now_ms += 1000
        async with opened(postgres_dsn, tmp_path / "was", clock) as services:
            await services.replays.delete(await services.replays.find(gone, [project_id]))
            await erase_user(services, project_id, ANA)
            await services.projects.erase(old)
            new = await services.projects.create(ProjectCreate(name="New", key="new"))
            await services.projects.erase(new)
            lines = [line async for line in restored.told(services)]

        async with opened(copy, tmp_path / "is", clock) as services:
            assert await names(services) == ["Hers", "His", "Old"]
            clock.now_ms += AFTER_MS
            back = Record(KIND, project_id, None, clock() * 1000, {}, event("Back", ANA, clock()))
            await services.journal.append(back)
            worker = Worker(services)
            while "Back" not in await names(services):
                await worker.once()
            done = await erase_again(services, read(lines))
            assert done == {"sessions": 2, "users": 1, "projects": 2}
            assert await erase_again(services, read(lines)) == done, "once more changes nothing"
            clock.now_ms += AFTER_MS
            await erasing.erase(services.db, services.objects, clock())
            await doomed.carry_out(services.db, services.objects, clock())

            assert await names(services) == ["Back", "His"], "who came back stays"
            for session_id in (gone, of_ana):
                with pytest.raises(NotFound):
                    await services.replays.find(session_id, None)
                assert await erasure.remains(services.db, services.objects, project_id, session_id) == {}
            assert (await services.replays.find(other, None)).messages > 0
            with pytest.raises(NotFound):
                await services.projects.by_key("old")
            assert await remains_of_users(services) == (1, {})
            kept = await services.db.fetch("SELECT event FROM event_errors")
            assert [row[0] for row in kept] == [b'{"user_id": "bob"}']
            sessions = [(project_id, gone), (project_id, of_ana)]
            assert await journal_clearing.remains(services.db, services.objects, sessions) == {}
            assert await erasing.remains(services.db, services.objects, old.project_id) == {}
            later = await services.projects.create(ProjectCreate(name="Later", key="later"))
            assert later.project_id > new.project_id, "the id of an erased project is not given away"


async def test_a_project_that_has_the_id_of_an_erased_one_is_left_alone(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        line = b'{"kind": "project", "project_id": %d, "project_key": "another"}\n' % rig.project_id
        done = await erase_again(rig.services, read([line]))
        assert done == {"other projects of the same id, left alone": 1}
        assert (await rig.services.projects.by_key("shop")).project_id == rig.project_id


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"[]",
        b'{"kind": "other", "project_id": 1}',
        b'{"kind": "session", "project_id": 1}',
        b'{"kind": "session", "project_id": 0, "session_id": 1}',
        b'{"kind": "user", "project_id": 1, "user_id": "", "until_us": 1}',
        b'{"kind": "user", "project_id": 1, "user_id": "a", "until_us": 99999999999999999999}',
        b'{"kind": "project", "project_id": 1, "project_key": "a", "more": 1}',
    ],
)
def test_a_line_that_tells_of_no_erasure_is_named(line: bytes) -> None:
    good = b'{"kind": "session", "project_id": 1, "session_id": 7}'
    assert len(read([good, b"\n", good])) == 2
    with pytest.raises(NoErasure, match="line 2 "):
        read([good, line])
