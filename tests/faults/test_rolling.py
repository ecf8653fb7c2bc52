"""A rolling update under load: a newer schema beneath running processes, SIGTERM to each in turn; SIGTERM twice."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from pathlib import Path

import asyncpg
import pytest

from storage.migrate import FOLDER, migrate
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import GRACE_S, children, endings, supervised, until
from tests.faults.town import LONG, PROJECT, Load, Playhead, Town, new_town

#: what a coming version may add without asking the one that runs: columns, tables, indexes
NEXT_VERSION = """
ALTER TABLE sessions ADD COLUMN next_note text NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN next_no integer NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN next_no integer;
ALTER TABLE parts ADD COLUMN next_no integer NOT NULL DEFAULT 0;
ALTER TABLE facets ADD COLUMN next_no integer NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN next_no integer NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN next_options jsonb NOT NULL DEFAULT '{}';
CREATE TABLE next_things (project_id integer NOT NULL, thing text NOT NULL, PRIMARY KEY (project_id, thing));
CREATE INDEX sessions_next ON sessions (project_id, next_note);
"""
LOCKED_OUT = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'playhead'
    AND now() - query_start > interval '3 seconds'
"""


async def update_schema(town: Town, folder: Path) -> None:
    """Migrate to a version that is not ours, and look whether anybody has to wait for it."""
    shutil.copytree(FOLDER, folder)
    (folder / "9999_next_version.sql").write_text(NEXT_VERSION)
    watching = await asyncpg.connect(town.postgres.dsn)
    migrating = asyncio.create_task(migrate(town.postgres.dsn, folder=folder))
    try:
        while not migrating.done():
            assert await watching.fetchval(LOCKED_OUT) == 0
            await asyncio.sleep(0.1)
        assert await migrating == ["9999_next_version"]
        assert await migrate(town.postgres.dsn, folder=folder) == []
        assert await migrate(town.postgres.dsn) == []  # ours leaves a newer schema as it is
    finally:
        await watching.close()


async def upload_slowly(phone: RawPhone, town: Town) -> bytes:
    """A batch at 2 KB/s -> what was answered when the connection ended."""
    number = await town.book.tried("batch", phone.session_id)
    reader, writer = await asyncio.open_connection("127.0.0.1", town.http[0].port)
    head = f"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {phone.token}\r\n"
    writer.write(f"{head}Content-Length: 1000000\r\n\r\n".encode())
    answer = b""
    with contextlib.suppress(ConnectionError):
        while not reader.at_eof():
            writer.write(bytes(200))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                answer += await asyncio.wait_for(reader.read(1000), 0.1)
    writer.close()
    await town.book.answered(number, 0)
    return answer


async def roll(program: Playhead, load: Load) -> None:
    """SIGTERM to each of its children in turn; the next when the last one's successor works."""
    for old in children(program):
        count = len(endings(program))
        old.send_signal(signal.SIGTERM)
        await until(lambda count=count: len(endings(program)) > count and len(children(program)) == 2)  # type: ignore[misc]
        await load.more(50)


@pytest.mark.crash
@pytest.mark.skipif(not LONG, reason="of the long set: FAULTS=long")
@pytest.mark.timeout(400)
async def test_a_rolling_update_under_load_loses_nothing(tmp_path) -> None:
    with new_town(tmp_path) as town:
        await migrate(town.postgres.dsn)
        http, work = supervised(town, "http"), supervised(town, "work")
        http.start()
        work.start()
        await town.build(http=0, workers=0)
        await until(lambda: len(children(http)) == len(children(work)) == 2)
        async with town.load(8) as load:
            await load.until(messages=100)
            await update_schema(town, tmp_path / "migrations")
            await load.more(50)
            for program in (http, work):
                await roll(program, load)
            assert set(load.statuses()) <= {0, 200, 202}
            assert load.statuses()[0] < 80  # connections that ended while they were used
            async with RawPhone.open(town.url, PROJECT, town.book) as phone:
                assert await phone.start() == 200
                slow = asyncio.create_task(upload_slowly(phone, town))
                await asyncio.sleep(0.5)
                http.send(signal.SIGTERM)
                assert await asyncio.to_thread(http.ended, GRACE_S + 30) == 0
                assert not (await slow).startswith(b"HTTP/1.1 200")
            assert endings(http) == [0, 0]
            await asyncio.to_thread(http.stop)
            await asyncio.to_thread(http.start)
            await load.more(50)

            leaving = children(work)
            work.send(signal.SIGTERM)
            await asyncio.sleep(0.05)
            work.send(signal.SIGTERM)  # at once, whatever is in hand
            await until(lambda: not any(each.is_running() for each in leaving))
            await asyncio.to_thread(work.ended, 10)
            assert endings(work) == [0, 0]
            await asyncio.to_thread(work.stop)
            await asyncio.to_thread(work.start)
        for program in (http, work):
            program.died.clear()  # it was we who ended them
        seen = await town.judge()
        assert seen["messages"] > 300 and not seen["dead_letters"]
