"""The real application over real services: Postgres, local objects, journal; a clock that tests can turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from http_service.app import build_app
from http_service.openapi import document_of
from http_service.routes import OPERATIONS
from playhead.settings import Settings
from playhead.wiring import Services, open_services, wall_clock
from projects import Project, ProjectCreate
from tests.http_service.contract import Contract
from workers.runner import Worker

ADMIN_KEY = "admin-key-of-tests"
CONTRACT = Contract(document_of(OPERATIONS, title="Playhead", version="0"))
AGENT = "Shop/42 CFNetwork/1494.0.7 Darwin/23.4.0"


class Clock:
    """Wall clock plus `ahead_ms`."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return wall_clock() + self.ahead_ms


@dataclass
class Site:
    """One installation in one process."""

    services: Services
    app: ASGIApp
    client: httpx.AsyncClient
    clock: Clock
    worker: Worker

    async def project(self, key: str = "shop", **more: Any) -> Project:
        """A new project."""
        return await self.services.projects.create(ProjectCreate(name=key, key=key, **more))

    async def key(self, project: Project, role: Any = "write") -> dict[str, str]:
        """Headers of a new API key of that project."""
        _, secret = await self.services.api_keys.create(project.project_id, role)
        return bearer(secret)

    async def start(self, project_key: str = "shop", **more: Any) -> dict[str, Any]:
        """The answer to a start that succeeds."""
        body = {"projectKey": project_key, "trackerVersion": "1.0.14", "timestamp": self.clock(), **more}
        answer = await self.client.post("/v1/mobile/start", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def records(self, wanted: int) -> list[Any]:
        """All records of the journal, once there are that many and their segments are indexed."""
        from storage.segment_file import Record, read_records

        async with asyncio.timeout(10):
            while True:
                keys = [
                    row[0]
                    for row in await self.services.db.fetch("SELECT segment_key FROM segments ORDER BY 1")
                ]
                found = []
                for key in keys:
                    data = await self.services.objects.get(key)
                    found += [record for _, record in read_records(data) if isinstance(record, Record)]
                if len(found) >= wanted:
                    return found
                await asyncio.sleep(0.02)

    async def work(self, records: int) -> None:
        """Process until so many records have met their fate."""
        async with asyncio.timeout(20):
            while True:
                await self.worker.once()
                ended = (
                    "SELECT coalesce(sum(count), 0) FROM ledger WHERE unit = 'record' AND fate <> 'accepted'"
                )
                if await self.services.db.fetchval(ended) >= records:
                    return
                await asyncio.sleep(0.02)


def bearer(secret: str) -> dict[str, str]:
    """An Authorization header."""
    return {"Authorization": f"Bearer {secret}"}


ADMIN = bearer(ADMIN_KEY)


def settings_for(dsn: str, data_dir: Path, **more: Any) -> Settings:
    """Settings of a test."""
    values: dict[str, Any] = {"admin_key": ADMIN_KEY, "segment_max_age_ms": 10, **more}
    return Settings(data_dir=data_dir, database_url=dsn, **values)


@pytest.fixture
async def make_site(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Opens an installation with further settings; closed at the end of the test."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def make(**more: Any) -> Site:
            clock = Clock()
            settings = settings_for(postgres_dsn, tmp_path, **more)
            services = await stack.enter_async_context(open_services(settings, role="http", clock=clock))
            app = build_app(services)
            transport = httpx.ASGITransport(app, client=("203.0.113.9", 5))
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=transport,
                    base_url="http://test",
                    headers={"User-Agent": AGENT},
                    event_hooks={"response": [CONTRACT.check]},
                )
            )
            return Site(services, app, client, clock, Worker(services))

        yield make


@pytest.fixture
async def site(make_site: Callable[..., Any]) -> Site:
    """An installation with default settings and the project `shop`."""
    made: Site = await make_site()
    await made.project()
    return made
