"""What an installation holds in memory when nothing happens, beside what it is built on holding nothing.

    python -m benchmarks.bench_idle [--minutes 3] [--rounds 3]

Playhead: `playhead demo`, its sessions recorded and looked at once, then left alone. Bare: one Starlette route under
uvicorn, and an embedded Postgres whose only database is empty. Sum over all processes of PSS (shared pages are
counted once); RSS counts them in each. Then how long the commands take to start, beside Python itself. Linux only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import machine
from benchmarks.bench_append import listener_of, serve_bare
from benchmarks.process_memory import Memory, memory_of
from storage.embedded_postgres import EmbeddedPostgres

ADMIN_KEY = "bench-admin"
READY_S = 120.0
SETTLE_S = 5.0


@contextmanager
def running(folder: Path, command: str) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """`playhead COMMAND` on embedded defaults -> process, address, s from start to the first answer."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    environ |= {"PLAYHEAD_PORT": "0", "PLAYHEAD_ADMIN_KEY": ADMIN_KEY, "PLAYHEAD_DATA_DIR": str(folder)}
    began = time.perf_counter()
    with open(folder.with_suffix(".log"), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "playhead", command], env=environ, stdout=log, stderr=log
        )
    try:
        url = _address(process, folder / "run" / "address")
        yield process, url, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def _address(process: subprocess.Popen[bytes], noted: Path) -> str:
    """Where it answers, once it does."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            url = noted.read_text()
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return url
        except (OSError, ValueError):
            time.sleep(0.01)
    raise SystemExit("playhead does not answer")


def _recorded(url: str, log: Path) -> int:
    """Wait until every demo session is a recording, load each once -> how many."""
    while "demo sessions are there" not in (said := log.read_text()):
        if "could not be made" in said:
            raise SystemExit(said)
        time.sleep(1)
    while True:
        found = json.loads(_get(f"{url}/api/v1/replays?project=demo&limit=100"))["replays"]
        if all(each["status"] == "ready" for each in found):
            break
        time.sleep(1)
    for each in found:
        _get(f"{url}/api/v1/replays/{each['session_id']}/timeline")
    return len(found)


def _get(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {ADMIN_KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def idle_playhead(folder: Path, minutes: float) -> list[Memory]:
    """The whole installation, that long after the last request."""
    with running(folder, "demo") as (process, url, _):
        print(
            f"{_recorded(url, folder.with_suffix('.log'))} demo sessions are recorded; {minutes:g} minutes of rest"
        )
        time.sleep(minutes * 60)
        return memory_of(process.pid)


def idle_bare(folder: Path) -> list[Memory]:
    """One Starlette route, and Postgres with nothing in it."""
    postgres = EmbeddedPostgres()
    postgres.start(folder)
    listener = listener_of()
    server = multiprocessing.get_context("spawn").Process(target=_serve_bare, args=(listener,), daemon=True)
    server.start()
    try:
        time.sleep(SETTLE_S)
        assert server.pid is not None and postgres.pid is not None
        return [*memory_of(server.pid), *memory_of(postgres.pid)]
    finally:
        server.terminate()
        server.join()
        postgres.stop()


def _serve_bare(listener: object) -> None:
    serve_bare(listener)  # type: ignore[arg-type]


def _started(*command: str) -> float:
    """Seconds that a command takes from start to end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _table(title: str, found: list[Memory]) -> float:
    print(f"\n{title:<60} {'PSS MB':>8} {'RSS MB':>8}")
    for each in found:
        print(f"  {each.name[:58]:<58} {each.pss:>8.1f} {each.rss:>8.1f}")
    total = sum(each.pss for each in found)
    print(f"  {f'{len(found)} processes':<58} {total:>8.1f} {sum(each.rss for each in found):>8.1f}")
    return total


def main() -> None:
    """Print memory, process by process, then start-up times."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    print(f"machine: {machine.describe()}")
    with tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as name:
        folder = Path(name)
        ours = _table("playhead demo, at rest", idle_playhead(folder / "demo", chosen.minutes))
        bare = _table("bare", idle_bare(folder / "bare"))
        print(f"\nplayhead / bare: {ours / bare:.2f}\n")
        starts = []
        for _ in range(chosen.rounds):
            with running(folder / "demo", "serve") as (_process, _url, seconds):
                starts.append(seconds)
        print(f"{'playhead serve to its first answer':<60} {statistics.median(starts):>7.2f} s")
    for title, command in (
        ("playhead --help", ("-m", "playhead", "--help")),
        ("python -c pass", ("-c", "pass")),
    ):
        times = [_started(*command) for _ in range(chosen.rounds)]
        print(f"{title:<60} {statistics.median(times):>7.2f} s")


if __name__ == "__main__":
    main()
