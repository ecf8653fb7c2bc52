"""HamustroClient beside a real server that is stopped and started, in an application that is killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playhead.program import ROOT, Program, until
from tests.servers import free_port

#: tracks events for ever, and says each number once the queue has it
APPLICATION = """
import sys, time
from client.hamustro import Environment, HamustroClient
url, path = sys.argv[1:]
client = HamustroClient(url, "hush", "device", "client", "17", "1.0", env=Environment.BETA, path=path, queue_size=5)
while True:
    print(client.track("Client.Tapped", {"button": "buy"}), flush=True)
    time.sleep(0.01)
"""


def launch(folder: Path, port: int) -> Program:
    return Program(folder, "serve", settings={"claim_timeout_s": "5", "port": str(port)}).await_ready()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[list[Program]]:
    running = [launch(tmp_path / "data", free_port())]
    yield running
    running[0].close()


def tracked(url: str, queue: Path, count: int) -> list[int]:
    """Numbers that an application tracked before it was killed."""
    command = [sys.executable, "-c", APPLICATION, url, str(queue)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as application:
        assert application.stdout is not None
        told = [int(application.stdout.readline()) for _ in range(count)]
        application.send_signal(signal.SIGKILL)
        told += [int(line) for line in application.stdout.read().split() if line]
    return told


def test_nothing_is_lost_or_counted_twice(server: list[Program], tmp_path: Path) -> None:
    project: dict[str, object] = {"name": "Shop", "key": "shop", "hamustro": {"shared_secret": "hush"}}
    assert server[0].post("/api/v1/projects", project).status_code == 201
    url, queue = f"{server[0].url}/p/shop", tmp_path / "queue.db"
    port = int(server[0].url.rpartition(":")[2])

    numbers = tracked(url, queue, 40)
    server[0].stop()
    numbers += tracked(url, queue, 40)  # nobody answers
    server[0] = launch(tmp_path / "data", port)
    numbers += tracked(url, queue, 40)

    from client.hamustro import Environment, HamustroClient

    with HamustroClient(
        url, "hush", "device", "client", "17", "1.0", env=Environment.BETA, path=queue
    ) as client:
        numbers.append(client.track("Client.Tapped", {"button": "buy"}))
        assert until(client.send)
        assert client.unsent == 0

    def found() -> list[int]:
        page = server[0].get("/api/v1/events?project=shop&source=hamustro&limit=1000").json()
        return sorted(event["data"]["nr"] for event in page["events"])

    assert len(set(numbers)) == len(numbers)
    assert until(lambda: set(found()) >= set(numbers)), (sorted(set(numbers) - set(found())), found()[:5])
    assert len(found()) == len(set(found()))
