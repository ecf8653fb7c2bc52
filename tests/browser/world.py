"""A whole running program with sessions in it, as phones would have left them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import httpx

from client.devices import DEVICES, Platform
from client.phone import Phone
from client.report import Report
from client.scenario import Wishes, make_script
from client.script import CrashSend
from client.sdk_model import Options
from client.simulation import launch
from client.transport import HttpTransport
from client.virtual_clock import VirtualClock
from playhead.settings import Settings
from playhead.wiring import Services, open_services, wall_clock
from sessions.ids import SessionIds
from sessions.model import SessionStart
from storage.segment_file import Record
from tests.playhead.program import Program, until
from tests.storage.journals import until as come_true

QUIET_S = 12.0  # a session without new data for so long has ended; two flushes of an SDK
AGO_MS = 30 * 60_000
SHOP = "shop"
ADMIN_KEY = "browser-admin-key"
COUNT = "SELECT count(*) FROM sessions WHERE project_id = $1"
RECORDED = "UPDATE sessions SET recording = 1, due_ms = NULL WHERE project_id = $1"


@dataclass(frozen=True)
class Visit:
    """One launch of the app: what the script must hold, and for how long."""

    platform: Platform
    minutes: float
    wishes: Wishes


VISITS = (
    Visit(
        Platform.IOS,
        0.9,
        Wishes(app="shop", user="ada", rage=True, errors=True, rotate=True, background_ms=9_000),
    ),
    Visit(Platform.ANDROID, 0.9, Wishes(app="bank", user="dora", errors=True, crash=CrashSend.ANSWERED)),
)


@dataclass
class World:
    """`playhead serve` as processes, and a way in for phones whose clock lies in the past."""

    program: Program
    settings: Settings
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    ids: SessionIds = field(default_factory=SessionIds)
    #: session id by platform of the project that all tests may read
    shop: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the player is."""
        return self.program.url

    def new_project(self) -> str:
        """A project of one test's own -> its key."""
        key = f"project-{next(self.numbers)}"
        self.program.post("/api/v1/projects", {"name": key, "key": key}).raise_for_status()
        return key

    def new_api_key(self, project: str, role: str = "read") -> str:
        """A key that reads one project."""
        made = self.program.post(f"/api/v1/projects/{project}/api-keys", {"role": role})
        return str(made.raise_for_status().json()["secret"])

    def replays(self, project: str, **query: str) -> list[dict[str, Any]]:
        """The session list as the API tells it."""
        path = str(httpx.URL("/api/v1/replays", params={"project": project, **query}))
        return list(self.program.get(path).raise_for_status().json()["replays"])

    def await_recordings(self, project: str, number: int, within_s: float = 60) -> list[dict[str, Any]]:
        """The sessions once there are so many, all recorded."""

        def all_there() -> bool:
            found = self.replays(project)
            return len(found) == number and all(each["status"] == "ready" for each in found)

        assert until(all_there, within_s), self.replays(project)
        return self.replays(project)

    @asynccontextmanager
    async def inside(self, clock: VirtualClock) -> AsyncIterator[tuple[Services, HttpTransport]]:
        """Services on the same stores, and the same HTTP side in this process, both living by `clock`."""
        from http_service.app import build_app

        async with open_services(self.settings, role="http", clock=clock) as services:
            app = httpx.ASGITransport(build_app(services), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=app, base_url="http://inside") as client:
                yield services, HttpTransport(client, "http://inside")

    async def visit(self, project: str, visits: Sequence[Visit]) -> list[str]:
        """Simulated visits half an hour ago, so that they are over at once -> session ids, in order."""
        clock = VirtualClock(wall_clock() - AGO_MS)
        ids = []
        async with self.inside(clock) as (_, transport):
            for number, each in enumerate(visits):
                device = DEVICES[each.platform][0]
                script = make_script(device, number, each.minutes, each.wishes)
                phone = Phone(device, Random(number))
                sdk = await launch(phone, script, Options(project), transport, clock, Report())
                ids.append(str(sdk.uplink.session_id))
                await clock.advance_to(clock() + 60_000)
        return ids

    async def seed(self, project: str, number: int) -> None:
        """So many sessions that started a minute apart, the newest a minute ago, and count as recorded."""
        project_id = int(self.program.get(f"/api/v1/projects/{project}").json()["project_id"])
        dice = Random(number)
        now_ms = wall_clock()

        async def start(services: Services, minutes_ago: int) -> None:
            started_ms = now_ms - minutes_ago * 60_000
            meta = replace(_start(dice, minutes_ago), device_start_ms=started_ms).to_meta()
            record = Record("start", project_id, self.ids.new(started_ms), now_ms * 1000, meta, b"{}")
            await services.journal.append(record)

        async with self.inside(VirtualClock(now_ms)) as (services, _):
            for chunk in _chunks(range(number, 0, -1), 1000):
                await asyncio.gather(*(start(services, minutes_ago) for minutes_ago in chunk))
            # processed by the program; the finalizer would take a while for recordings of nothing
            await come_true(lambda: _counted(services, project_id, number))
            await services.db.execute(RECORDED, project_id)


async def _counted(services: Services, project_id: int, number: int) -> bool:
    return int(await services.db.fetchval(COUNT, project_id)) == number


def _chunks(numbers: range, size: int) -> Iterator[range]:
    return (numbers[first : first + size] for first in range(0, len(numbers), size))


def _start(dice: Random, number: int) -> SessionStart:
    platform = dice.choice((Platform.IOS, Platform.ANDROID))
    device = dice.choice(DEVICES[platform])
    return SessionStart(
        platform=platform,
        user_uuid=f"{dice.getrandbits(64):016x}-{number}",
        device_model=device.model,
        device_name=device.kind,
        os="IOS" if platform is Platform.IOS else "Android",
        os_version=device.os_version,
        width=device.width,
        height=device.height,
        tracker_version="1.0.14",
        timezone="UTC+02:00",
        country=dice.choice(("DE", "FR", "JP", "US")),
    )


def open_world(data_dir: Path, dsn: str, **settings: Any) -> World:
    """Start the program on this database, with these settings over small defaults."""
    values: dict[str, Any] = {
        "database_url": dsn,
        "admin_key": ADMIN_KEY,
        "session_quiet_s": QUIET_S,
        "log_level": "warning",
        **settings,
    }
    program = Program(data_dir, "serve", settings={name: str(value) for name, value in values.items()})
    program.key = ADMIN_KEY
    try:
        program.await_ready()
        return World(program, Settings(data_dir=data_dir, **values))
    except BaseException:
        program.close()
        raise
