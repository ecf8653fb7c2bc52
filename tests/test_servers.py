"""The servers of the tests do as they are told and leave nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers import PostgresServer, RedisServer, S3Server, Server

START_ALL = """
import time
from tests.servers import PostgresServer, RedisServer, S3Server
servers = [PostgresServer(), RedisServer(), S3Server()]
for server in servers:
    server.start()
print(*(server.pid for server in servers), *(server.folder for server in servers), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", [RedisServer, S3Server, PostgresServer])
def test_a_server_stops_and_starts_on_its_port(kind: type[Server]) -> None:
    server = kind()
    try:
        ports = set()
        for end in (server.stop, server.kill, server.close):
            server.start()
            ports.add(server.port)
            assert server.pid is not None
            server.freeze()
            server.thaw()
            end()
        assert len(ports) == 1
    finally:
        server.close()
    assert not server.folder.exists()


@pytest.mark.crash
def test_no_server_outlives_a_killed_process() -> None:
    root = Path(__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", START_ALL], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    words = process.stdout.readline().split()
    pids, folders = [int(word) for word in words[:3]], [Path(word) for word in words[3:]]
    assert len(pids) == len(folders) == 3
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids) or any(folder.exists() for folder in folders):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Zombies do not count: where nobody collects orphans, they stay."""
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")
