"""Keys that nobody had to choose: made once, kept in the data directory, readable by the owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from playhead.errors import BadSettings
from playhead.settings import Settings
from storage.durable_files import settle_folder, sync_folder

TOKEN_SECRET = "token_secret"
ADMIN_KEY = "admin_key"


@dataclass(frozen=True, slots=True)
class Secrets:
    """`token_secrets`: the first signs, all verify."""

    token_secrets: tuple[str, ...] = field(repr=False)
    admin_key: str = field(repr=False)


def open_secrets(settings: Settings) -> Secrets:
    """The settings' secrets, the rest from `<data dir>/secrets/`, made there if absent.

    Safe in many processes at once: whoever links the file first wins, all read the same. Raises BadSettings
    if the directory cannot be written.
    """
    tokens = tuple(part.strip() for part in settings.token_secrets.split(",") if part.strip())
    if not tokens:
        tokens = (_kept(settings.data_dir, TOKEN_SECRET, secrets.token_urlsafe(48)),)
    admin = settings.admin_key
    if not admin:
        admin = _kept(settings.data_dir, ADMIN_KEY, "ph_admin_" + secrets.token_urlsafe(32))
    return Secrets(tokens, admin)


def shown_before(settings: Settings) -> bool:
    """Whether the admin key kept in the data directory was shown already; from now on it was."""
    if settings.admin_key:
        return True
    mark = secret_path(settings.data_dir, ADMIN_KEY + ".shown")
    if mark.exists():
        return True
    mark.touch(mode=0o600)
    return False


def secret_path(data_dir: Path, name: str) -> Path:
    """Where that secret is kept."""
    return data_dir / "secrets" / name


def _kept(data_dir: Path, name: str, fresh: str) -> str:
    path = secret_path(data_dir, name)
    try:
        if not path.exists():
            _write_once(path, fresh)
        value = path.read_text("ascii").strip()
    except FileExistsError:  # another process was first
        value = path.read_text("ascii").strip()
    except OSError as problem:
        raise BadSettings([f"PLAYHEAD_DATA_DIR: {path}: {problem.strerror}"]) from problem
    if not value:
        raise BadSettings([f"{path} is empty; delete it to have a new one made"])
    return value


def _write_once(path: Path, value: str) -> None:
    """A durable file of mode 0600, whole or not at all; FileExistsError if it is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settle_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        sync_folder(path.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
