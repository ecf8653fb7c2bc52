"""What a player asks of a recorded one-hour session over HTTP: its timeline, and its pictures one by one.

    python -m benchmarks.bench_player [--frames 3600] [--messages 100000] [--seconds 5] [--connections 6]

One server process and one load process. Bare: a Starlette route that reads a file of a picture's size and answers it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import Any

import structlog

from benchmarks import load, machine
from benchmarks.bench_append import listener_of, wait_for
from benchmarks.bench_processing import PER_BATCH, body
from client.archives import Shot, ios_upload
from client.report import SentPicture
from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from sessions.ids import SessionIds
from sessions.model import Session, SessionStart
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import ensure_event_partitions, migrate
from storage.segment_file import Record
from workers.finalizer import Finalizer
from workers.runner import Worker

PICTURE_BYTES = 30_000
PER_ARCHIVE = 60
ADMIN_KEY = "bench"


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def _settings(dsn: str, folder: str) -> Settings:
    return Settings(database_url=dsn, data_dir=Path(folder), admin_key=ADMIN_KEY)


def _serve(listener: socket.socket, dsn: str, folder: str) -> None:
    import uvloop

    from http_service import server

    _quiet()

    async def main() -> None:
        async with open_services(_settings(dsn, folder), role="http") as services:
            await server.serve(services, [listener], stop=asyncio.Event())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _serve_bare(listener: socket.socket, picture: str) -> None:
    import uvicorn
    import uvloop
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def read(request: Request) -> Response:
        return Response(await asyncio.to_thread(Path(picture).read_bytes), media_type="image/jpeg")

    app = Starlette(routes=[Route("/picture", read)])
    config = uvicorn.Config(app, http="httptools", access_log=False, log_level="error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve([listener]))


async def _record(settings: Settings, messages: int, frames: int) -> tuple[Session, list[int]]:
    """A recorded session and the times of its pictures."""
    async with open_services(settings, role="work") as services:
        await ensure_event_partitions(services.db)
        project = await services.projects.create(ProjectCreate(name="Bench", key="bench"))
        session_id = await _send(services, project.project_id, messages, frames)
        await asyncio.sleep(1)
        worker = Worker(services)
        while await worker.once():
            pass
        finalizer = Finalizer(
            settings=settings, clock=services.clock, db=services.db, objects=services.objects
        )
        await finalizer.finalize(project.project_id, session_id)
        session = await services.replays.find(session_id, None)
        return session, [frame.at_ms for frame in await services.replays.frames(session)]


async def _send(services: Services, project_id: int, messages: int, frames: int) -> int:
    now_ms = services.clock()
    session_id = SessionIds().new(now_ms)
    dice = random.Random(1)

    async def append(kind: str, content: bytes, meta: dict[str, Any], at: int) -> None:
        record = Record(kind, project_id, session_id, (now_ms + at) * 1000, meta, content)
        await services.journal.append(record)

    start = SessionStart(platform="ios", user_uuid="user", device_name="iPhone 15", os="IOS")
    await append("start", b"{}", start.to_meta(), 0)
    for n in range(messages // PER_BATCH):
        await append("batch", body(dice, n * PER_BATCH, now_ms + n * 1440), {"plt": "ios"}, n)
    for n in range(0, frames, PER_ARCHIVE):
        shots = []
        for place in range(n, min(n + PER_ARCHIVE, frames)):
            data = b"\xff\xd8\xff" + dice.randbytes(PICTURE_BYTES)
            sent = SentPicture(now_ms + place * 1000, "", "jpeg", len(data), session_id)
            shots.append(Shot(sent, data))
        upload = ios_upload(session_id, now_ms, n, shots, frames=True, labelled=True)
        content_type, content = upload.form("bench", dice)
        await append("images", content, {"plt": "ios", "content_type": content_type}, n)
    return session_id


def main() -> None:
    """Print one table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=3_600)
    arguments.add_argument("--messages", type=int, default=100_000)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--connections", type=int, default=6)
    chosen = arguments.parse_args()
    _quiet()
    print(f"machine: {machine.describe()}")
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as folder:
        postgres = EmbeddedPostgres()
        dsn = postgres.start(Path(folder) / "postgres")
        servers: list[Any] = []
        try:
            asyncio.run(migrate(dsn))
            session, times = asyncio.run(_record(_settings(dsn, folder), chosen.messages, chosen.frames))
            picture = Path(folder) / "picture"
            picture.write_bytes(b"\xff\xd8\xff" + os.urandom(PICTURE_BYTES))
            ports = []
            for target, args in ((_serve, (dsn, folder)), (_serve_bare, (str(picture),))):
                listener = listener_of()
                ports.append(listener.getsockname()[1])
                servers.append(spawn.Process(target=target, args=(listener, *args), daemon=True))
                servers[-1].start()
                listener.close()
            _table(ports[0], ports[1], session, times, chosen)
        finally:
            for process in servers:
                process.terminate()
                process.join(15)
            postgres.stop()


def _table(port: int, bare: int, session: Session, times: list[int], chosen: argparse.Namespace) -> None:
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "accept-encoding": "gzip"}
    one = f"/api/v1/replays/{session.session_id}"
    random.Random(3).shuffle(times)
    pictures = [load.get(f"{one}/frames/{at_ms}", headers) for at_ms in times]
    timeline = load.get(f"{one}/timeline", headers)
    file = load.get("/picture", {})
    print(f"{len(times):,} pictures of {PICTURE_BYTES:,} bytes, {session.messages:,} messages")
    print(f"{'':<24} {'answers/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'MB/s':>8}")
    for name, to, requests, connections in [
        ("bare file", bare, [file], chosen.connections),
        ("pictures, at random", port, pictures, chosen.connections),
        ("timeline", port, [timeline], 1),
    ]:
        wait_for(to, requests[0])
        found = load.run(to, *requests, connections=connections, seconds=chosen.seconds)
        if found.failures:
            raise SystemExit(f"{name}: {found.failures} answers were not 200")
        print(
            f"{name:<24} {found.per_second:>10,.0f} {found.percentile(0.5):>8.1f} {found.percentile(0.99):>8.1f} "
            f"{found.bytes / found.seconds / 1e6:>8,.1f}"
        )


if __name__ == "__main__":
    main()
