"""A whole installation as processes, an oracle that loads it, and a judge who compares: how to write a fault.

    async def test_my_fault(tmp_path) -> None:
        with new_town(tmp_path, PLAYHEAD_SOME_SETTING="7") as town:      # Postgres of its own; the seed is printed
            await town.build(http=1, workers=1)                          # migrated, processes up, project made
            async with town.load(phones=10) as load:                     # the oracle: a process no fault touches
                await load.until(messages=500)                           # obligations so far (also pictures, events)
                await town.remember()                                    # vital signs to come back to (J8); optional
                await asyncio.to_thread(town.http[0].kill)               # the fault
                await asyncio.to_thread(town.http[0].start)
                await load.more(200)                                     # 200 obligations more: it goes on
            seen = await town.judge()                                    # J1..J8, or AssertionError with findings

At the end of `load` every app lives to its end (regrouped retries, late files, stray archives: client/sdk_model.py), so
what could not be sent during the fault comes afterwards. `load.statuses()` tells how requests were answered (0: not at
all). The judge waits up to `patience_s` for everything to hold. Processes: `town.http`, `town.workers`
(`Playhead`: start, stop, kill, freeze, thaw, pid, url, log), `town.postgres` (the same). What phones talk to can be
replaced by a proxy: `town.load(urls=[proxy.url])`. A phone led by hand, all noted in the same book:

    async with RawPhone.open(town.url, "town", town.book) as phone: await phone.start(); await phone.say(5)

A record of yours that must end in the dead letters: `RawPhone.post("batch", "/v1/mobile/i", body, items)` with the
items that it holds; the judge then wants each of them readable or its record among the dead letters. Settings that are
no `PLAYHEAD_…` names are plain variables of all processes. Repeat a run with `TOWN_SEED=…`; `FAULTS=long` (see `LONG`)
asks for the long forms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from storage.migrate import migrate
from tests.faults.book import Book
from tests.faults.vital_signs import VitalSigns, left_behind
from tests.servers import PostgresServer, Server, temporary_folder

ADMIN = "town-admin"
PROJECT = "town"
ROOT = Path(__file__).parent.parent.parent
#: the long forms of faults: a hundred kills, outages of ten minutes …
LONG = os.environ.get("FAULTS", "") == "long"
#: messages until the memory that is remembered is that of a process whose caches are as full as the load makes them
WARM = 3000 if LONG else 200
#: for what was left undone in the time of a fault
PATIENCE_S = 300.0 if LONG else 90.0
CALM_S = 75.0  # for memory and files to come back: once a minute spare memory is given to the system


class Playhead(Server):
    """`playhead http` or `playhead work` as its own process."""

    def __init__(self, role: str, variables: dict[str, str]) -> None:
        super().__init__()
        self.role = role
        self.variables = {**variables, "PLAYHEAD_PORT": str(self.port)}
        #: exit statuses that nobody asked for
        self.died: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens, if it is the HTTP side."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "playhead", self.role]

    def environment(self) -> dict[str, str]:
        return {**self.variables, "PYTHONPATH": os.pathsep.join(filter(None, (self._shim, str(ROOT))))}

    @property
    def _shim(self) -> str:
        return self.variables.get("PYTHONPATH", "")

    def answers(self) -> bool:
        if self.role == "work":
            return True
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.url + "/healthz", timeout=2, trust_env=False).status_code == 200
        return False

    def look(self) -> None:
        """Note it if it has ended by itself."""
        if self._process is not None and (status := self._process.poll()) is not None:
            self.died.append(status)
            self._process = None

    def stop(self) -> None:
        self.look()
        super().stop()

    def kill(self) -> None:
        self.look()
        super().kill()


class Load:
    """An oracle at work."""

    def __init__(self, process: subprocess.Popen[bytes], book: Book) -> None:
        self._process = process
        self._book = book

    def obligations(self) -> int:
        """Items acknowledged so far."""
        return self._book.obligations().total()

    def statuses(self, kind: str = "") -> Counter[int]:
        """How requests were answered so far (kinds: start, batch, late, images, json, segment)."""
        return self._book.statuses(kind)

    async def until(self, within_s: float = 120, **wanted: int) -> None:
        """Wait for so many obligations of each kind: `until(messages=500, pictures=20)`."""
        deadline = time.monotonic() + within_s
        while any(self._book.obligations()[kind.removesuffix("s")] < count for kind, count in wanted.items()):
            self._check(deadline, f"{self._book.obligations()} instead of {wanted}")
            await asyncio.sleep(0.1)

    async def more(self, count: int, within_s: float = 120) -> None:
        """Wait for that many further obligations, of whatever kind."""
        deadline = time.monotonic() + within_s
        target = self.obligations() + count
        while self.obligations() < target:
            self._check(deadline, f"{target - self.obligations()} obligations short of {count} more")
            await asyncio.sleep(0.1)

    def _check(self, deadline: float, what: str) -> None:
        assert self._process.poll() is None, "the oracle has ended"
        assert time.monotonic() < deadline, f"{what}; answers: {self.statuses()}"


@dataclass
class Town:
    """Postgres, Playhead's processes, the book."""

    folder: Path
    postgres: PostgresServer
    settings: dict[str, str] = field(default_factory=dict)
    seed: str = "1"
    project: str = PROJECT
    http: list[Playhead] = field(default_factory=list)
    workers: list[Playhead] = field(default_factory=list)
    book: Book = field(default_factory=lambda: Book(temporary_folder("oracle") / "book.sqlite"))
    _numbers: int = 0
    _before: dict[Playhead, VitalSigns] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Of the first HTTP process."""
        return self.http[0].url

    @property
    def processes(self) -> list[Playhead]:
        """All of ours."""
        return [*self.http, *self.workers]

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every process."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            "TMPDIR": str(temporary),
            "PLAYHEAD_DATA_DIR": str(self.folder),
            "PLAYHEAD_DATABASE_URL": self.postgres.dsn,
            "PLAYHEAD_ADMIN_KEY": ADMIN,
            "PLAYHEAD_TOKEN_SECRETS": "town-secret",
            "PLAYHEAD_SESSION_QUIET_S": "2",
            "PLAYHEAD_CLAIM_TIMEOUT_S": "3",
            "PLAYHEAD_SWEEP_INTERVAL_S": "2",
            "PLAYHEAD_SEGMENT_MAX_AGE_MS": "50",
            "PLAYHEAD_APPENDS_PER_SESSION_PER_S": "0",  # apps that live ten times too fast
            "PLAYHEAD_STARTS_PER_ADDRESS_PER_MIN": "0",
            **self.settings,
        }

    @property
    def process_environment(self) -> dict[str, str]:
        """All of it, for a command beside the processes."""
        return {**os.environ, **self.variables}

    async def build(self, *, http: int = 1, workers: int = 1) -> None:
        """Migrate, start the processes, make the project."""
        await migrate(self.postgres.dsn)
        for role, count, into in (("http", http, self.http), ("work", workers, self.workers)):
            for _ in range(count):
                process = Playhead(role, self.variables)
                into.append(process)
                await asyncio.to_thread(process.start)
        async with self.client() as client:
            answer = await client.post("/api/v1/projects", json={"name": "Town", "key": PROJECT})
            assert answer.status_code in (201, 409), answer.text

    def client(self) -> httpx.AsyncClient:
        """With all rights, for the first HTTP process."""
        headers = {"authorization": f"Bearer {ADMIN}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, trust_env=False)

    @contextlib.asynccontextmanager
    async def load(
        self,
        phones: int = 10,
        *,
        senders: int = 1,
        speedup: float = 10.0,
        urls: Sequence[str] = (),
        grace_s: float = 60,
    ) -> AsyncIterator[Load]:
        """Phones and senders of events send during the block; at its end the apps live to theirs."""
        command = [
            sys.executable, "-m", "tests.faults.oracle", f"--book={self.book.path}", f"--project={self.project}",
            f"--phones={phones}", f"--senders={senders}", f"--speedup={speedup}", f"--seed={self.seed}",
            f"--first={self._numbers}", f"--grace={grace_s}",
            *(f"--url={url}" for url in urls or [process.url for process in self.http]),
        ]  # fmt: skip
        self._numbers += max(phones, senders)
        process = await asyncio.to_thread(
            subprocess.Popen, command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            yield Load(process, self.book)
        except BaseException:
            process.kill()
            raise
        finally:
            await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, "the oracle failed"

    async def remember(self) -> None:
        """Vital signs of every process: what the judge wants to see again."""
        self._before = {each: VitalSigns.of(each.pid) for each in self.processes if each.pid is not None}

    async def judge(self, *, patience_s: float = PATIENCE_S, fresh: bool = True) -> Counter[str]:
        """Hold the book against the API, look after the processes -> what was seen.

        AssertionError if a promise does not hold within `patience_s`.
        """
        command = [
            sys.executable, "-m", "tests.faults.judge", f"--book={self.book.path}", f"--url={self.url}",
            f"--admin-key={ADMIN}", f"--project={self.project}", f"--patience={patience_s}",
            *([] if fresh else ["--no-fresh"]),
        ]  # fmt: skip
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=self.process_environment, stdout=subprocess.PIPE
        )
        assert done.returncode in (0, 1) and done.stdout, "the judge failed"
        verdict: dict[str, Any] = json.loads(done.stdout)
        await self._vital_signs(verdict["wrong"])
        print(json.dumps(verdict["seen"]))  # shown by pytest -rP, and when something fails
        assert not verdict["wrong"], json.dumps(verdict, indent=1, ensure_ascii=False)
        return Counter(verdict["seen"])

    async def _vital_signs(self, wrong: dict[str, list[str]]) -> None:
        """J7 and J8; memory and files have some time to come back."""
        for process in self.processes:
            process.look()
            if process.died:
                wrong.setdefault("J7", []).append(f"{process.role} ended by itself: {process.died}")
        deadline = time.monotonic() + CALM_S
        while True:
            found = left_behind([self.folder])
            for process, before in self._before.items():
                if process.pid is not None:
                    found += [f"{process.role}: {each}" for each in VitalSigns.of(process.pid).worse(before)]
            if not found:
                return
            if time.monotonic() > deadline:
                wrong["J8"] = found
                return
            await asyncio.sleep(0.5)

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            process.close()
        self.book.close()


@contextlib.contextmanager
def new_town(folder: Path, **settings: str) -> Iterator[Town]:
    """A town with its own Postgres, not built yet."""
    town = Town(folder, PostgresServer(fast=False), settings, seed=os.environ.get("TOWN_SEED", "1"))
    print(f"TOWN_SEED={town.seed}")
    try:
        town.postgres.start()
        yield town
    finally:
        town.close()
        town.postgres.close()


__all__ = ["ADMIN", "CALM_S", "LONG", "PROJECT", "WARM", "Load", "Playhead", "Town", "new_town"]
