"""Secrets are made once, by whoever comes first, and are nobody else's to read."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playhead.errors import BadSettings
from playhead.secrets import ADMIN_KEY, TOKEN_SECRET, open_secrets, secret_path, shown_before
from playhead.settings import load


def test_they_are_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path / "data")
    first = open_secrets(settings)
    assert open_secrets(settings) == first
    assert len(first.token_secrets[0]) >= 43
    assert first.admin_key.startswith("ph_admin_")
    for name in (TOKEN_SECRET, ADMIN_KEY):
        path = secret_path(settings.data_dir, name)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert list(path.parent.glob(".*")) == []


def test_settings_win_and_several_token_secrets_keep_their_order(tmp_path: Path) -> None:
    secrets = open_secrets(load({}, data_dir=tmp_path / "data", token_secrets="new, old", admin_key="mine"))
    assert secrets.token_secrets == ("new", "old")
    assert secrets.admin_key == "mine"
    assert not (tmp_path / "data").exists()


def test_many_at_once_agree(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path / "data")
    with ThreadPoolExecutor(16) as pool:
        found = {
            (s.token_secrets, s.admin_key) for s in pool.map(lambda _: open_secrets(settings), range(64))
        }
    assert len(found) == 1


def test_they_are_not_shown_by_accident(tmp_path: Path) -> None:
    secrets = open_secrets(load({}, data_dir=tmp_path))
    assert secrets.admin_key not in repr(secrets)
    assert secrets.token_secrets[0] not in repr(secrets)
    assert "hidden" not in repr(load({}, admin_key="hidden", token_secrets="hidden"))


def test_the_admin_key_is_shown_once(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path)
    open_secrets(settings)
    assert [shown_before(settings), shown_before(settings)] == [False, True]
    assert shown_before(load({}, data_dir=tmp_path / "other", admin_key="mine"))


def test_an_empty_file_is_a_fault_that_names_it(tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path)
    open_secrets(settings)
    secret_path(tmp_path, TOKEN_SECRET).write_text("")
    with pytest.raises(BadSettings, match="token_secret is empty"):
        open_secrets(settings)


def test_a_data_directory_that_is_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(BadSettings, match=f"{os.sep}data"):
        open_secrets(load({}, data_dir=tmp_path / "data"))
