"""A whole installation as processes, phones that load it, and a judge who compares what was acknowledged.

Phones keep to the SDKs' ways: batches in order, after a failure the messages go back to the head of the queue and out
again in a new grouping under higher indexes. Every message carries an id that nobody else has.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import os
import random
import sys
import tarfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from messages import encode, encode_batch
from messages.schema import MobileClickEvent, MobileEvent, MobileLog
from playhead.settings import Settings
from playhead.wiring import open_services
from storage.ledger import balances
from tests.servers import PostgresServer, Server

ADMIN = "town-admin"
ROOT = Path(__file__).parent.parent.parent


class Playhead(Server):
    """`playhead http` or `playhead work` as its own process."""

    def __init__(self, role: str, variables: dict[str, str]) -> None:
        super().__init__()
        self.role = role
        self._variables = {**variables, "PLAYHEAD_PORT": str(self.port)}

    @property
    def url(self) -> str:
        """Where it listens, if it is the HTTP side."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "playhead", self.role]

    def environment(self) -> dict[str, str]:
        return {**self._variables, "PYTHONPATH": str(ROOT)}

    def answers(self) -> bool:
        if self.role == "work":
            return True
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.url + "/healthz", timeout=2).status_code == 200
        return False


@dataclass
class Phone:
    """One app installation: its session, what waits to be sent, what was acknowledged."""

    town: Town
    number: int
    rng: random.Random
    session_id: str = ""
    token: str = ""
    queue: list[tuple[str, bytes]] = field(default_factory=list)
    index: int = 0
    made: int = 0
    acknowledged: list[str] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self, client: httpx.AsyncClient) -> None:
        """Send until the town says stop, then send what is left."""
        await self._start(client)
        while not self.town.enough.is_set():
            self._happen()
            await self._flush(client)
            if self.rng.random() < 0.1:
                await self._picture(client)
            await asyncio.sleep(self.rng.random() * self.town.pause_s)
        while self.queue:
            await self._flush(client)
            await asyncio.sleep(0.2 if self.queue else 0)

    async def _post(self, client: httpx.AsyncClient, path: str, **what: Any) -> httpx.Response | None:
        try:
            answer = await client.post(self.town.url + path, **what)
        except httpx.HTTPError:
            return None
        if answer.status_code != 200:
            self.refused[answer.status_code] += 1
            return None
        return answer

    async def _start(self, client: httpx.AsyncClient) -> None:
        request = {
            "projectKey": "town", "trackerVersion": "1.0.22", "platform": "ios", "userUUID": self.uuid,
            "timestamp": int(time.time() * 1000), "userDevice": "iPhone15,2", "width": 390, "height": 844,
        }  # fmt: skip
        answer = None
        while answer is None:
            await asyncio.sleep(0.1)
            answer = await self._post(client, "/v1/mobile/start", json=request)
        told = answer.json()
        self.session_id, self.token = told["sessionID"], told["token"]
        self.started.set()

    @property
    def uuid(self) -> str:
        return f"00000000-0000-4000-8000-{self.number:012d}"

    def _happen(self) -> None:
        now_ms = int(time.time() * 1000)
        for _ in range(self.rng.randint(1, 12)):
            self.made += 1
            name = f"p{self.number}-{self.made}"
            kinds = [MobileEvent(name, "{}"), MobileLog("info", name), MobileClickEvent(name, 1, 2)]
            self.queue.append((name, encode(self.rng.choice(kinds), timestamp=now_ms)))

    async def _flush(self, client: httpx.AsyncClient) -> None:
        batch, self.queue = self.queue[:40], self.queue[40:]
        body = encode_batch(self.index, int(time.time() * 1000), [framed for _, framed in batch])
        self.index += len(batch)
        headers = {"authorization": f"Bearer {self.token}", "content-encoding": "gzip"}
        answer = await self._post(client, "/v1/mobile/i", content=gzip.compress(body), headers=headers)
        if answer is None:
            self.queue = batch + self.queue
        else:
            self.acknowledged += [name for name, _ in batch]

    async def _picture(self, client: httpx.AsyncClient) -> None:
        at_ms = int(time.time() * 1000)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            data = b"\xff\xd8\xff" + str(at_ms).encode()
            entry = tarfile.TarInfo(f"{at_ms}_1_{at_ms}.jpeg")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        files = {"batch": (f"{self.session_id}-0.tar.gz", out.getvalue(), "gzip")}
        headers = {"authorization": f"Bearer {self.token}"}
        if await self._post(client, "/v1/mobile/images", files=files, headers=headers) is not None:
            self.pictures.append(at_ms)


@dataclass
class Town:
    """Postgres, Playhead's processes and phones."""

    folder: Path
    postgres: PostgresServer
    settings: dict[str, str] = field(default_factory=dict)
    seed: int = 1
    pause_s: float = 0.2
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    phones: list[Phone] = field(default_factory=list)
    http: list[Playhead] = field(default_factory=list)
    workers: list[Playhead] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The HTTP side."""
        return self.http[0].url

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every process."""
        return {
            "PLAYHEAD_DATA_DIR": str(self.folder),
            "PLAYHEAD_DATABASE_URL": self.postgres.dsn,
            "PLAYHEAD_ADMIN_KEY": ADMIN,
            "PLAYHEAD_TOKEN_SECRETS": "town-secret",
            "PLAYHEAD_SESSION_QUIET_S": "2",
            "PLAYHEAD_CLAIM_TIMEOUT_S": "3",
            "PLAYHEAD_SWEEP_INTERVAL_S": "2",
            "PLAYHEAD_SEGMENT_MAX_AGE_MS": "50",
            **self.settings,
        }

    def build(self, *, http: int = 1, workers: int = 1) -> None:
        """Start the processes."""
        for role, count, into in (("http", http, self.http), ("work", workers, self.workers)):
            for _ in range(count):
                process = Playhead(role, self.variables)
                into.append(process)
                process.start()

    @contextlib.asynccontextmanager
    async def loaded(self, phones: int) -> AsyncIterator[None]:
        """Phones send during the block; at its end they send what is left."""
        await self._project()
        self.enough.clear()
        made = [
            Phone(self, number, random.Random(f"{self.seed}-{number}"))
            for number in range(len(self.phones), len(self.phones) + phones)
        ]
        self.phones += made
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(timeout=20, limits=limits) as client, asyncio.TaskGroup() as group:
            for phone in made:
                group.create_task(phone.live(client))
            try:
                yield
            finally:
                self.enough.set()

    async def _project(self) -> None:
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {ADMIN}"}, timeout=20) as client:
            answer = await client.post(self.url + "/api/v1/projects", json={"name": "Town", "key": "town"})
            assert answer.status_code in (201, 409), answer.text

    async def settle(self, timeout_s: float = 90) -> None:
        """Wait until nothing accepted is pending."""
        deadline = time.monotonic() + timeout_s
        settings = Settings(
            database_url=self.postgres.dsn, data_dir=self.folder, token_secrets="x", admin_key="y",
            **{name.removeprefix("PLAYHEAD_").lower(): value for name, value in self.settings.items()},
        )  # fmt: skip
        async with open_services(settings, role="cli") as services:
            calm = 0
            while calm < 4:
                assert time.monotonic() < deadline, await balances(services.db)
                await asyncio.sleep(0.5)
                found = await services.segments.sweep()
                pending, _ = await services.segments.waiting()
                calm = 0 if found or pending else calm + 1
            for balance in await balances(services.db):
                assert balance.difference == 0, balance

    async def judge(self) -> Counter[str]:
        """Every acknowledged message and picture is readable exactly once, and nothing that was never sent."""
        seen: Counter[str] = Counter()
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {ADMIN}"}, timeout=60) as client:
            for phone in self.phones:
                found = Counter([name async for name in self._messages(client, phone.session_id)])
                made = {f"p{phone.number}-{n}" for n in range(1, phone.made + 1)}
                missing = set(phone.acknowledged) - found.keys()
                twice = {name for name, count in found.items() if count > 1}
                assert not missing, f"phone {phone.number}: {len(missing)} acknowledged messages are missing"
                assert not twice, f"phone {phone.number}: {len(twice)} messages are there twice"
                assert found.keys() <= made, f"phone {phone.number}: messages that nobody sent"
                answer = await client.get(f"{self.url}/api/v1/replays/{phone.session_id}")
                replay = answer.json()
                offset = replay["clock_offset_ms"]
                answer = await client.get(f"{self.url}/api/v1/replays/{phone.session_id}/frames")
                times = {frame["at_ms"] - offset for frame in answer.json()["frames"]}
                assert times >= set(phone.pictures), f"phone {phone.number}: pictures are missing"
                seen["messages"] += len(found)
                seen["pictures"] += len(times)
        return seen

    async def _messages(self, client: httpx.AsyncClient, session_id: str) -> AsyncIterator[str]:
        cursor: str | None = None
        while True:
            query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
            answer = await client.get(f"{self.url}/api/v1/replays/{session_id}/messages", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for message in page["messages"]:
                fields = message["fields"]
                yield fields.get("Name") or fields.get("Label") or fields["Content"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """End every process."""
        for process in (*self.http, *self.workers):
            process.close()


@contextlib.contextmanager
def new_town(folder: Path, **settings: str) -> Iterator[Town]:
    """A town with its own Postgres, migrated; processes are started by `build`."""
    postgres = PostgresServer(fast=False)
    town = Town(folder, postgres, settings, seed=int(os.environ.get("TOWN_SEED", "1")))
    try:
        postgres.start()
        yield town
    finally:
        town.close()
        postgres.close()


__all__ = ["ADMIN", "Phone", "Playhead", "Town", "new_town"]
