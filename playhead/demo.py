"""`playhead demo`: a project with sessions to watch, made by the simulator through the real HTTP side.

The sessions lie in the last hour: they are sent to an app of this process whose clock is that of the phones, so
that what the server notes agrees with what the devices say, as in life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

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
from playhead.errors import NotFound
from playhead.settings import Settings
from playhead.wiring import open_services, wall_clock
from projects import Project, parse_create
from sessions.search import ReplayFilters

if TYPE_CHECKING:
    from playhead.wiring import Services

KEY = "demo"
SPAN_MS = 55 * 60_000  # the first visit began this long ago
APART_MS = 4 * 60_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One launch of the app; visits of the same `phone` are one user's."""

    phone: str
    platform: Platform
    model: int
    minutes: float
    wishes: Wishes


VISITS = (
    Visit("ada", Platform.IOS, 0, 3.5, Wishes(app="shop", rage=True, errors=True)),
    Visit("bruno", Platform.ANDROID, 0, 3, Wishes(app="shop", background_ms=14_000, rotate=True)),
    Visit("chidi", Platform.IOS, 2, 2.5, Wishes(app="bank", errors=True, background_ms=9_000)),
    Visit("dora", Platform.ANDROID, 1, 3, Wishes(app="bank", rage=True, crash=CrashSend.UNSURE)),
    Visit("dora", Platform.ANDROID, 1, 1.5, Wishes(app="bank")),
    Visit("emil", Platform.IOS, 1, 3, Wishes(app="shop", freeze_ms=64_000, crash=CrashSend.UNSENT)),
    Visit("emil", Platform.IOS, 1, 1.5, Wishes(app="shop", rotate=True)),
)


async def fill(settings: Settings, said: Callable[[int, int], None]) -> Report | None:
    """Make the project if needed and, if it has no session, play VISITS; `said(done, of)` after each.

    None: there were sessions already. Raises PlayheadError.
    """
    clock = VirtualClock(wall_clock() - SPAN_MS)
    async with open_services(settings, role="http", clock=clock) as services:
        project = await _project(services)
        page = await services.replays.page(ReplayFilters(limit=1), [project.project_id])
        if page.sessions:
            return None
        return await _play(services, project, clock, said)


async def _play(
    services: Services, project: Project, clock: VirtualClock, said: Callable[[int, int], None]
) -> Report:
    from http_service.app import build_app

    report = Report()
    phones: dict[str, Phone] = {}
    inside = httpx.ASGITransport(build_app(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=inside, base_url="http://demo") as client:
        transport = HttpTransport(client, "http://demo")
        for number, visit in enumerate(VISITS):
            device = DEVICES[visit.platform][visit.model]
            phone = phones.setdefault(visit.phone, Phone(device, Random(visit.phone)))
            wishes = replace(visit.wishes, user=visit.phone)
            script = make_script(device, number, visit.minutes, wishes)
            options = Options(project.project_key)
            await launch(phone, script, options, transport, clock, report)
            await clock.advance_to(clock() + APART_MS)
            said(number + 1, len(VISITS))
    return report


async def _project(services: Services) -> Project:
    try:
        return await services.projects.by_key(KEY)
    except NotFound:
        return await services.projects.create(parse_create({"name": "Demo", "key": KEY}))
