"""A Postgres server of our own, for `serve` and for tests: start, stop, and pick up the pieces.

The files are the business of storage/postgres_cluster.py. Blocking; from a coroutine call it in a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from playhead.errors import AlreadyRunning, DatabaseUnavailable
from storage import postgres_cluster
from storage.postgres_cluster import Cluster

START_TIMEOUT_S = 300.0  # replaying the log after a crash counts, too
# How a server is asked to end, and for how long it may take, s: in good order, at once, not asked.
STOPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
LOG_MAX_BYTES = 10_000_000


class EmbeddedPostgres:
    """One server on 127.0.0.1. `options` are further server settings (`-c name=value`).

    Safe to call from several threads: a `stop` ends a `start` that is still waiting.
    """

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = dict(options or {})
        self._busy = threading.RLock()
        self._stopping = threading.Event()
        self._locks: dict[Path, IO[str]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.cluster: Cluster | None = None
        self.port = 0

    @property
    def pid(self) -> int | None:
        """The server's process, or None while it does not run (any more)."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self, data_dir: Path) -> str:
        """Make the cluster if needed, start its server, return its connection string.

        Whatever an earlier run left behind (a server, a stale pid file) is cleared away first. On the same
        object a second call restarts a dead server, on the same port if that is free.
        Raises AlreadyRunning if another process has this data directory, DatabaseUnavailable with the reason.
        """
        with self._busy:
            self._stopping.clear()
            return self._start(data_dir.resolve())

    def stop(self) -> None:
        """End the server in good order (20 s), else at once; then free the data directory."""
        self._stopping.set()
        with self._busy:
            self._stop()

    def _start(self, data_dir: Path) -> str:
        if self.pid is not None and self.cluster is not None:
            return self.cluster.dsn(self.port)
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            location = postgres_cluster.location_of(data_dir)
            self._lock(data_dir)
            if location.parent.exists():
                self._lock(location.parent)
            postgres_cluster.account_for(location)
            _end_leftovers(location)
            self.cluster = postgres_cluster.prepare(data_dir)
            self._lock(self.cluster.folder.parent)  # a copy of the data directory would name it, too
            self._launch(self.cluster)
        except OSError as problem:
            self._stop()
            raise DatabaseUnavailable(f"cannot start Postgres in {data_dir}: {problem}") from problem
        except BaseException:
            self._stop()
            raise
        return self.cluster.dsn(self.port)

    def _stop(self) -> None:
        self._end_watchdog()
        if self._process is not None:
            for sign, wait_s in STOPS:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    if self._process.poll() is None:
                        self._process.send_signal(signal.SIGCONT)
                        self._process.send_signal(sign)
                    self._process.wait(wait_s)
                    break
            self._process = None
        for lock in self._locks.values():
            lock.close()
        self._locks.clear()

    def _lock(self, folder: Path) -> None:
        if folder not in self._locks:
            self._locks[folder] = _lock(folder)

    def _end_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None

    def _launch(self, cluster: Cluster) -> None:
        port = self.port or _last_port(cluster.folder)
        for attempt in range(5):
            self.port = port if port and _is_free(port) else _free_port()
            try:
                self._launch_on(cluster, self.port)
                return
            except DatabaseUnavailable as problem:
                port = 0
                # Someone took the port in between, or backends of a killed server still hold its memory.
                passing = "could not bind" in str(problem) or "still in use" in str(problem)
                if not passing or attempt == 4:
                    raise
                time.sleep(0.5)

    def _launch_on(self, cluster: Cluster, port: int) -> None:
        self._end_watchdog()
        log_path = cluster.folder / "playhead.log"
        settings = {"port": str(port), "listen_addresses": "127.0.0.1", **self._options}
        command = [str(cluster.binaries / "postgres"), "-D", str(cluster.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with _open_log(log_path, cluster) as log:
            begin = log.tell()
            # A session of its own: Ctrl-C in the terminal is for us, we stop Postgres last.
            self._process = subprocess.Popen(
                command,
                cwd="/",
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", "")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **cluster.account.options,
            )
        self._await_ready(cluster, log_path, begin)
        # If we are killed, the watchdog's standard input ends and it stops the server in good order.
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; kill -INT "$0" 2>/dev/null', str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **cluster.account.options,
        )

    def _await_ready(self, cluster: Cluster, log_path: Path, begin: int) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = None
                raise DatabaseUnavailable(f"Postgres did not start: {_tail(log_path, begin)}")
            lines = _pid_file(cluster.folder)
            if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7] == "ready":
                return
            time.sleep(0.01)
        raise DatabaseUnavailable(
            f"Postgres was not ready within {START_TIMEOUT_S:.0f} s: {_tail(log_path, begin)}"
        )


def running_dsn(data_dir: Path) -> str | None:
    """Connection string of the server that runs on this data directory under another process, if any."""
    folder = postgres_cluster.location_of(data_dir.resolve())
    lines, password = _pid_file(folder), postgres_cluster.password_of(data_dir)
    if password is None or len(lines) < 8 or lines[7] != "ready" or not processes(folder):
        return None
    return postgres_cluster.dsn_for(lines[3], password)


def _lock(folder: Path) -> IO[str]:
    """Hold `<folder>/postgres.lock` for as long as the returned file is open."""
    lock = open(folder / "postgres.lock", "a+")  # noqa: SIM115 - open for the life of the server
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise AlreadyRunning(f"{folder} is in use by another Playhead (process {holder})") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _pid_file(folder: Path) -> list[str]:
    """Lines of postmaster.pid: process, folder, start, port, socket folder, address, memory, state."""
    try:
        return [line.strip() for line in (folder / "postmaster.pid").read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        return []


def processes(folder: Path) -> list[int]:
    """Live Postgres processes of this cluster: they all have it as their working folder."""
    if not Path("/proc/self/cwd").exists():
        return _leader_by_ps(folder)
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and os.readlink(entry / "cwd") == str(folder):
                words = (entry / "cmdline").read_bytes()
                if b"postgres" in words.split(b"\0")[0]:
                    found.append(int(entry.name))
    return found


def _leader_by_ps(folder: Path) -> list[int]:
    """The same where there is no /proc (macOS), for the leader alone."""
    lines = _pid_file(folder)
    if not lines or not lines[0].isdecimal():
        return []
    shown = subprocess.run(["ps", "-o", "command=", "-p", lines[0]], capture_output=True, text=True)
    return [int(lines[0])] if str(folder) in shown.stdout else []


def _end_leftovers(folder: Path) -> None:
    """End every process of a server that an earlier run left, in good order if it still can."""
    lines = _pid_file(folder)
    for sign, wait_s in STOPS:
        alive = processes(folder)
        if not alive:
            break
        leader = int(lines[0]) if lines and lines[0].isdecimal() else 0
        # Without its leader a backend ends by itself; if it does not, it is killed.
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                if pid == leader or sign == signal.SIGKILL:
                    os.kill(pid, sign)
        deadline = time.monotonic() + (wait_s if leader in alive else 2.0)
        while time.monotonic() < deadline and processes(folder):
            time.sleep(0.02)
    # Nothing runs here and we hold the lock, so the file is stale; its number may be anyone's by now.
    with contextlib.suppress(FileNotFoundError):
        (folder / "postmaster.pid").unlink()


def _last_port(folder: Path) -> int:
    """The port of the last run, so that other processes find a restarted server again; 0: none."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((folder / "postmaster.opts").read_text().split("port=")[1].split('"')[0])
    return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _open_log(path: Path, cluster: Cluster) -> IO[bytes]:
    """The server's log, begun anew when large. As it lies in a foreign folder, links are not followed."""
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_size > LOG_MAX_BYTES:
            path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchown(descriptor, cluster.account.uid, cluster.account.gid)
    log = open(descriptor, "ab")  # noqa: SIM115 - the caller closes it
    log.seek(0, os.SEEK_END)
    return log


def _tail(path: Path, begin: int) -> str:
    """What the server said since `begin`, at most 2,000 characters."""
    with path.open("rb") as log:
        log.seek(begin)
        return log.read(100_000).decode("utf-8", "replace").strip()[-2000:] or "it said nothing"
