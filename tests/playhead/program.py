"""`playhead` as a process of its own: started, asked, killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60


class Program:
    """`playhead COMMAND` with its own data directory; `url` once it has said where it answers."""

    def __init__(self, data_dir: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        self.log = data_dir / "test-output"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
        environ |= {"PYTHONPATH": str(ROOT), "PLAYHEAD_DATA_DIR": str(data_dir), "PLAYHEAD_PORT": "0"}
        environ |= {f"PLAYHEAD_{name.upper()}": value for name, value in (settings or {}).items()}
        self._environ = environ
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "playhead", *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=data_dir,
                process_group=0,
            )
        self.url = ""
        self.key = ""

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self.log.read_text("utf-8", "replace")

    def await_ready(self) -> Program:
        """Wait for the line that names the player's URL."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"Player\s+(http://\S+?)/\s", self.output):
                self.url = found[1]
                return self
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.output}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command with the same settings, to its end."""
        command = [sys.executable, "-m", "playhead", *arguments]
        return subprocess.run(
            command,
            env=self._environ,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def children(self) -> dict[str, psutil.Process]:
        """HTTP and worker processes by name, and `postgres`."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            if "--name" in words:
                found[words[words.index("--name") + 1]] = child
            elif words and words[0].endswith("/postgres"):
                found["postgres"] = child
        return found

    def get(self, path: str, *, admin: bool = True) -> httpx.Response:
        """GET with the admin key."""
        headers = {"Authorization": f"Bearer {self.admin_key}"} if admin else {}
        return httpx.get(self.url + path, headers=headers, trust_env=False, timeout=20)

    def post(self, path: str, body: dict[str, object], *, admin: bool = True) -> httpx.Response:
        """POST JSON with the admin key."""
        headers = {"Authorization": f"Bearer {self.admin_key}"} if admin else {}
        return httpx.post(self.url + path, json=body, headers=headers, trust_env=False, timeout=20)

    @property
    def admin_key(self) -> str:
        """The one that the test set, or the generated one."""
        return self.key or (self.data_dir / "secrets" / "admin_key").read_text().strip()

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 40) -> int:
        """Send a signal -> exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def close(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def gone(processes: list[psutil.Process], within_s: float = 15) -> bool:
    """Whether all of these end in time."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def until(condition: object, within_s: float = 30) -> bool:
    """Whether `condition()` becomes true in time; errors of the network count as not yet."""
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except (httpx.HTTPError, psutil.Error, KeyError):
            pass
        time.sleep(0.1)
    return False
