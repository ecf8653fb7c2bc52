"""Postgres is away: phones are served on, readers are told to come back (fault 3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from http_service.app import build_app
from playhead.wiring import open_services
from projects import ProjectCreate
from storage.migrate import migrate
from tests.http_service.conftest import ADMIN, AGENT, bearer, settings_for
from tests.http_service.test_start import code
from tests.servers import PostgresServer


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.close()


async def test_ingest_goes_on_while_the_database_is_away(postgres: PostgresServer, tmp_path: Path):
    await migrate(postgres.dsn)
    settings = settings_for(postgres.dsn, tmp_path)
    async with open_services(settings, role="http") as services:
        await services.projects.create(ProjectCreate(name="Shop", key="shop"))
        transport = httpx.ASGITransport(build_app(services))
        headers = {"User-Agent": AGENT}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            body = {"projectKey": "shop", "trackerVersion": "1.0.14"}
            token = (await client.post("/v1/mobile/start", json=body)).json()["token"]
            postgres.stop()
            for path in ("/v1/mobile/i", "/v1/mobile/late"):
                assert (await client.post(path, content=b"x", headers=bearer(token))).status_code == 200
            assert (await client.post("/v1/mobile/start", json=body)).status_code == 200
            unknown = await client.post("/v1/mobile/start", json=body | {"projectKey": "other"})
            assert code(unknown) == (503, "database_unavailable")
            assert unknown.headers["retry-after"]
            assert code(await client.get("/api/v1/replays", headers=ADMIN))[0] == 503
            assert code(await client.get("/api/v1/projects", headers=bearer("phk_any")))[0] == 503
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            database = ready.json()["dependencies"]["database"]
            assert database["state"] == "down" and "PLAYHEAD_DATABASE_URL" in database["mend"]
            assert (await client.get("/healthz")).status_code == 200
            postgres.start()
            assert (await client.get("/api/v1/replays", headers=ADMIN)).status_code == 200
