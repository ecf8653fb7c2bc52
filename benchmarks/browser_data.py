"""What `bench_browser` looks at: two recorded sessions whose pictures can be seen, a short and a long list."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw

from benchmarks.bench_processing import PER_BATCH, body
from client.archives import Shot, ios_upload
from client.report import SentPicture
from messages import encode, encode_batch
from messages.schema import MobileEvent, MobileUserID, MobileViewComponentEvent
from playhead.settings import Settings
from playhead.wiring import Services, open_services
from projects.changes import ProjectCreate
from sessions.ids import SessionIds
from sessions.model import SessionStart
from storage.embedded_postgres import EmbeddedPostgres
from storage.migrate import ensure_event_partitions, migrate
from storage.segment_file import Record
from workers.finalizer import Finalizer
from workers.runner import Worker

ADMIN_KEY: Final = "bench"
WATCHED: Final = "watched"
SHORT_LIST: Final = "short-list"
LONG_LIST: Final = "long-list"
PER_ARCHIVE: Final = 60
SIZE: Final = (390, 844)
DEVICES: Final = (
    ("iPhone 15", "IOS"),
    ("Pixel 8", "Android"),
    ("iPhone 13", "IOS"),
    ("Galaxy S23", "Android"),
)
COUNTRIES: Final = ("DE", "FR", "JP", "US")
#: so many sessions come the usual way, the rest of a longer list are copies of their rows, each with a time and a user
#: of its own
PATTERN: Final = 1_000
STEP_MS: Final = 20_000  # all of them within the days that a project keeps
#: the long list's sessions count as recorded; making recordings of next to nothing would take a while
RECORDED: Final = "UPDATE sessions SET recording = 1, due_ms = NULL WHERE project_id = $1"
_FURTHER: Final = f"k * {PATTERN * STEP_MS}::bigint"
#: user-7 -> user-1007, user-2007 …
_RENAMED: Final = (
    f"regexp_replace({{0}}, '-[0-9]+', '-' || (substring({{0}} FROM '-([0-9]+)')::int + k * {PATTERN}))"
)
COPIED: Final = (
    f"""INSERT INTO sessions SELECT copy.* FROM sessions s CROSS JOIN generate_series(1, $2::int) k
CROSS JOIN LATERAL jsonb_populate_record(s, jsonb_build_object(
    'session_id', s.session_id - (({_FURTHER}) << 24), 'started_ms', s.started_ms - {_FURTHER},
    'user_id', {_RENAMED.format("s.user_id")}, 'user_uuid', {_RENAMED.format("s.user_uuid")})) copy
WHERE s.project_id = $1""",
    f"""INSERT INTO facets SELECT f.project_id, f.facet,
    CASE WHEN f.value ~ '^(user|uuid)-[0-9]' THEN {_RENAMED.format("f.value")} ELSE f.value END,
    f.started_ms - {_FURTHER}, f.session_id - (({_FURTHER}) << 24)
FROM facets f CROSS JOIN generate_series(1, $2::int) k WHERE f.project_id = $1""",
)


@dataclass(frozen=True, slots=True)
class Made:
    """Ids of the sessions, the time of a picture of the longer one; `kb`: mean size of its pictures."""

    five_minutes: str
    one_hour: str
    picture_ms: int
    kb: float


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[str]:
    """The embedded Postgres of this folder."""
    postgres = EmbeddedPostgres()
    dsn = await asyncio.to_thread(postgres.start, folder / "postgres")
    try:
        yield dsn
    finally:
        await asyncio.to_thread(postgres.stop)


def settings_of(folder: Path, dsn: str) -> dict[str, Any]:
    """The same for who fills and for who serves."""
    return {
        "database_url": dsn,
        "admin_key": ADMIN_KEY,
        "data_dir": folder / "data",
        "session_quiet_s": 36_000,
    }


async def made_in(folder: Path, sessions: int) -> Made:
    """Fill the folder, once; a later run finds what is there."""
    told = folder / "made.json"
    if told.exists():
        return Made(**json.loads(told.read_text()))
    async with database(folder) as dsn:
        await migrate(dsn)
        async with open_services(Settings(**settings_of(folder, dsn)), role="work") as services:
            await ensure_event_partitions(services.db)
            made = await _fill(services, sessions)
    told.write_text(json.dumps(asdict(made)))
    return made


async def _fill(services: Services, sessions: int) -> Made:
    watched = await services.projects.create(ProjectCreate(name="Watched", key=WATCHED))
    await _list(services, SHORT_LIST, 10)
    await _list(services, LONG_LIST, sessions)
    five, _, _ = await _recorded(services, watched.project_id, 300, 8_000)
    hour, picture_ms, kb = await _recorded(services, watched.project_id, 3_600, 100_000)
    await _at_length(services, "VACUUM ANALYZE")
    return Made(str(five), str(hour), picture_ms, kb)


async def _recorded(
    services: Services, project_id: int, pictures: int, messages: int
) -> tuple[int, int, float]:
    """A recorded session with a picture a second -> id, time of the first picture, mean size of all (kB)."""
    now_ms = services.clock()
    session_id = SessionIds().new(now_ms)
    dice = random.Random(1)

    async def append(kind: str, content: bytes, meta: dict[str, Any], at: int) -> None:
        record = Record(kind, project_id, session_id, (now_ms + at) * 1000, meta, content)
        await services.journal.append(record)

    width, height = SIZE
    start = SessionStart(
        platform="ios", user_uuid="user", device_name="iPhone 15", os="IOS", width=width, height=height
    )
    await append("start", b"{}", start.to_meta(), 0)
    step_ms = pictures * 1000 * PER_BATCH // messages
    for n in range(messages // PER_BATCH):
        await append("batch", body(dice, n * PER_BATCH, now_ms + n * step_ms), {"plt": "ios"}, n)
    draw = _painter()
    size = 0
    for first in range(0, pictures, PER_ARCHIVE):
        shots = []
        for number in range(first, min(first + PER_ARCHIVE, pictures)):
            data = draw(number)
            size += len(data)
            shots.append(Shot(SentPicture(now_ms + number * 1000, "", "jpeg", len(data), session_id), data))
        upload = ios_upload(session_id, now_ms, first, shots, frames=True, labelled=True)
        content_type, content = upload.form("bench", dice)
        await append("images", content, {"plt": "ios", "content_type": content_type}, first)
    await _process(services)
    finalizer = Finalizer(
        settings=services.settings, clock=services.clock, db=services.db, objects=services.objects
    )
    await finalizer.finalize(project_id, session_id)
    session = await services.replays.find(session_id, None)
    frames = await services.replays.frames(session)
    assert len(frames) == pictures, (len(frames), pictures)
    return session_id, frames[0].at_ms, size / pictures / 1000


def _painter() -> Callable[[int], bytes]:
    """Draws screens of about 30 kB that all differ."""
    ground = Image.effect_noise(SIZE, 9).convert("RGB")

    def draw(number: int) -> bytes:
        screen = ground.copy()
        pen = ImageDraw.Draw(screen)
        pen.rectangle((0, 0, 390, 90), fill=(number * 7 % 256, number * 13 % 256, number * 29 % 256))
        pen.text((120, 20), f"{number:04}", fill="white", font_size=48)
        pen.rectangle((30, 120 + number % 500, 360, 260 + number % 500), fill="white")
        out = io.BytesIO()
        screen.save(out, "JPEG", quality=50)
        return out.getvalue()

    return draw


async def _list(services: Services, key: str, number: int) -> None:
    """So many sessions, one every `STEP_MS`: a user each, a screen, a purchase."""
    project = await services.projects.create(ProjectCreate(name=key, key=key))
    ids, now_ms = SessionIds(), services.clock()

    async def visit(n: int) -> None:
        at_ms = now_ms - (n + 1) * STEP_MS
        session_id = ids.new(at_ms)
        device, system = DEVICES[n % len(DEVICES)]
        start = SessionStart(
            platform="ios" if system == "IOS" else "android",
            user_uuid=f"uuid-{n}",
            device_start_ms=at_ms,
            device_name=device,
            os=system,
            os_version="17.4" if system == "IOS" else "14",
            country=COUNTRIES[n // 3 % len(COUNTRIES)],
            timezone="UTC+02:00",
        )
        framed = [
            encode(MobileUserID(f"user-{n}@example.com"), timestamp=at_ms),
            encode(MobileViewComponentEvent("Home", "MainView", True), timestamp=at_ms + 500),
            encode(MobileEvent("purchase", "{}"), timestamp=at_ms + 30_000),
        ]
        sent = gzip.compress(encode_batch(0, at_ms + 31_000, framed))
        received_us = (at_ms + 31_000) * 1000
        for kind, content, meta in (("start", b"{}", start.to_meta()), ("batch", sent, {"plt": "ios"})):
            await services.journal.append(
                Record(kind, project.project_id, session_id, received_us, meta, content)
            )

    await asyncio.gather(*(visit(n) for n in range(min(number, PATTERN))))
    await _process(services)
    if number > PATTERN:
        for query in COPIED:
            await _at_length(services, query, project.project_id, number // PATTERN - 1)
    await _at_length(services, RECORDED, project.project_id)
    found = await services.db.fetchval(
        "SELECT count(*) FROM sessions WHERE project_id = $1", project.project_id
    )
    assert found == number, (found, number)


async def _at_length(services: Services, query: str, *values: Any) -> None:
    """A statement that may take its time."""
    async with services.db.acquire() as conn:
        await conn.execute("SET statement_timeout = 0")
        await conn.execute(query, *values, timeout=600)
        await conn.execute("RESET statement_timeout")


async def _process(services: Services) -> None:
    await asyncio.sleep(services.settings.segment_max_age_ms / 1000 + 0.5)
    worker = Worker(services)
    while await worker.once():
        pass
