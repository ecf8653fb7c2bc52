"""Too many at once: idle connections, clients that dawdle, phones that all come back, more bodies than memory.

The long form holds 10,000 idle connections for a minute and lets 2,000 phones come back after half an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from client.transport import HttpTransport, open_http_client
from storage.migrate import migrate
from tests.faults.raw_phone import RawPhone
from tests.faults.supervised import until
from tests.faults.town import CALM_S, LONG, PROJECT, Load, Playhead, Town, new_town

IDLE = 10_000 if LONG else 2_000
ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
RETURNING = 2_000 if LONG else 100
AWAY_S = 1_800 if LONG else 0
BACKLOG = 8 if LONG else 4  # batches that wait in each phone that comes back
BODIES = 300  # of a megabyte each
IN_HAND_BYTES = 4_000_000

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Limited(Playhead):
    """An HTTP process that may open few files."""

    files = 400

    def command(self) -> list[str]:
        return ["/bin/sh", "-c", f'ulimit -n {self.files}; exec "$@"', "sh", *super().command()]


@pytest.fixture
def files() -> Iterator[int]:
    """As many open files as we may have, for us and for what we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.asynccontextmanager
async def connections(port: int, count: int, first: bytes = b"") -> AsyncIterator[list[Connection]]:
    """So many connections, as far as they are taken, each having sent `first`."""
    held: list[Connection] = []
    try:
        for at in range(0, count, 200):
            opening = (asyncio.open_connection("127.0.0.1", port) for _ in range(min(200, count - at)))
            results = await asyncio.gather(*opening, return_exceptions=True)
            opened = [each for each in results if isinstance(each, tuple)]
            for _, writer in opened:
                writer.write(first)
            held += opened
        yield held
    finally:
        for _, writer in held:
            writer.transport.abort()


def process_of(program: Playhead) -> psutil.Process:
    """Its process, which must run."""
    assert program.pid is not None
    return psutil.Process(program.pid)


def memory(program: Playhead) -> int:
    """Resident bytes."""
    return int(process_of(program).memory_info().rss)


@pytest.mark.crash
@pytest.mark.timeout(900 if LONG else 300)
async def test_idle_and_dawdling_clients_cost_little_and_hold_up_nobody(tmp_path: Path, files: int) -> None:
    idle = min(IDLE, files - 1000)
    with new_town(tmp_path, PLAYHEAD_HEADER_TIMEOUT_S="8") as town:
        await town.build()
        http = town.http[0]
        async with town.load(4) as load, RawPhone.open(town.url, PROJECT, town.book) as phone:
            assert await phone.start() == 200
            await load.until(messages=100)
            before, opened = memory(http), process_of(http).num_fds()
            if LONG:  # what a crowd needed once the interpreter keeps in part; the next must not add to it
                async with connections(http.port, idle, ASKED):
                    await load.more(50)
                await asyncio.sleep(CALM_S)
            await town.remember()
            async with connections(http.port, idle, ASKED) as held:
                assert len(held) == idle
                for reader, _ in held:
                    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
                each = (memory(http) - before) / idle
                print(f"{idle} idle connections, {each / 1000:.1f} KB each")
                assert each < 64_000
                await load.more(50)
                await asyncio.sleep(60 if LONG else 0)
                await load.more(50)
            await dawdling(town, load, phone.token)
            await until(lambda: process_of(http).num_fds() <= opened + 10)
        assert set(load.statuses()) == {200, 202}
        await town.judge()


async def dawdling(town: Town, load: Load, token: str) -> None:
    """Headers that do not end, bodies that trickle, answers that are not read, sixty of each beside the load."""
    body = f"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    firsts = (
        b"POST /v1/mobile/i HTTP/1.1\r\nHost: x\r\nX-",
        f"{body}Content-Length: 100000\r\n\r\nx".encode(),
        b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 40,
    )
    async with contextlib.AsyncExitStack() as stack:
        groups = [
            await stack.enter_async_context(connections(town.http[0].port, 60, first)) for first in firsts
        ]
        await load.more(50)
        for reader, _ in groups[0] + groups[1]:  # cut, with a word
            answer = await asyncio.wait_for(reader.read(), 60)
            assert answer.startswith(b"HTTP/1.1 408"), answer[:40]
        await load.more(50)


@pytest.mark.crash
async def test_connections_never_take_the_files_that_the_stores_need(tmp_path: Path) -> None:
    with new_town(tmp_path) as town:
        await migrate(town.postgres.dsn)
        town.http.append(limited := Limited("http", town.variables))
        await asyncio.to_thread(limited.start)
        await town.build(http=0)
        async with town.load(4) as load:
            await load.until(messages=100)
            async with connections(limited.port, 900):
                await load.more(100)
            await load.more(50)
        await town.judge()
        log = limited.log.read_text()
        assert "too many open files" not in log.lower() and "EMFILE" not in log


@pytest.mark.crash
@pytest.mark.timeout(5400 if LONG else 300)
async def test_phones_that_all_come_back_at_once_are_taken_or_told_when_to_come(tmp_path: Path) -> None:
    with new_town(tmp_path, PLAYHEAD_JOURNAL_INFLIGHT_BYTES="30000") as town:
        await town.build()
        http = town.http[0]
        async with open_http_client(RETURNING) as client:
            transport = HttpTransport(client, town.url)
            phones = [RawPhone(transport, PROJECT, town.book) for _ in range(RETURNING)]
            for phone in phones:
                assert await phone.start() == 200
            await asyncio.to_thread(http.kill)
            waiting = {phone: [phone.messages(40) for _ in range(BACKLOG)] for phone in phones}
            await asyncio.sleep(AWAY_S)
            await asyncio.to_thread(http.start)
            before = memory(http)

            async def come_back(phone: RawPhone) -> None:
                """Its oldest data first; what is refused is tried again, as the SDKs do."""
                left = waiting[phone]
                while left:
                    if await phone.batch(left[0]) == 200:
                        del left[0]
                    else:
                        await asyncio.sleep(0.5)

            coming = asyncio.gather(*(come_back(phone) for phone in phones))
            peak = before
            while not coming.done():
                peak = max(peak, memory(http))
                await asyncio.sleep(0.05)
            await coming
        print(f"{RETURNING} phones came back: {(peak - before) / 1e6:.0f} MB more at most")
        assert peak - before < 150_000_000
        statuses = town.book.statuses("batch")
        print(f"answers {dict(statuses)}")
        # A fast machine has room for all. Two thousand at once may find no connection on a slow one, or be too slow.
        assert {200} <= set(statuses) <= ({0, 200, 408, 503} if LONG else {200, 503})
        seen = await town.judge(patience_s=600 if LONG else 120)
        assert seen["messages"] >= RETURNING * BACKLOG * 40


@pytest.mark.crash
async def test_more_bodies_than_memory_are_refused_and_the_process_lives(tmp_path: Path) -> None:
    with new_town(tmp_path, PLAYHEAD_JOURNAL_INFLIGHT_BYTES=str(IN_HAND_BYTES)) as town:
        await town.build()
        http = town.http[0]
        async with open_http_client(100) as client:
            phone = RawPhone(HttpTransport(client, town.url), PROJECT, town.book)
            assert await phone.start() == 200
            assert await phone.say(5) == 200
            before, peak, pid = memory(http), 0, http.pid
            sends = [asyncio.create_task(phone.post("batch", "/v1/mobile/i", b"\0" * 1_000_000, []))
                     for _ in range(BODIES)]  # fmt: skip
            while not all(each.done() for each in sends):
                peak = max(peak, memory(http) - before)
                await asyncio.sleep(0.02)
            statuses = {await each for each in sends}
            print(f"{peak / 1e6:.0f} MB more at most for {IN_HAND_BYTES / 1e6:.0f} MB in hand")
            assert statuses == {200, 503}
            assert peak < BODIES * 1_000_000 / 3
            assert await phone.say(5) == 200
        assert http.pid == pid
        await town.judge()
        async with httpx.AsyncClient(base_url=town.url, trust_env=False) as client:
            assert (await client.get("/readyz")).json()["status"] == "ready"
