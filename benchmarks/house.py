"""A Playhead of its own for one benchmark: embedded Postgres (fsync on), local objects, services, a project."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import ensure_event_partitions, migrate


@contextlib.asynccontextmanager
async def open_house(**settings: Any) -> AsyncIterator[tuple[Services, int]]:
    """Services of a worker and the id of its one project."""
    with tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as folder:
        postgres = EmbeddedPostgres()
        dsn = postgres.start(Path(folder) / "postgres")
        try:
            await migrate(dsn)
            made = Settings(database_url=dsn, data_dir=Path(folder), **settings)
            async with open_services(made, role="work") as services:
                await ensure_event_partitions(services.db)
                project = await services.projects.create(ProjectCreate(name="Bench", key="bench"))
                yield services, project.project_id
        finally:
            postgres.stop()
