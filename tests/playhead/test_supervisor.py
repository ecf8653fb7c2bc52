"""What the supervisor hands to its children, and how it starts them again."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from playhead.settings import PREFIX, Settings, load
from playhead.supervisor import address_of, environment_of


def test_children_get_exactly_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_LOG_LEVEL", "debug")  # of the parent; not in these settings
    settings = load(
        {},
        data_dir=tmp_path / "with space",
        database_url="postgresql://u:p%40ss@h/db",
        session_quiet_s=2.5,
        frames_support=False,
        log_json=True,
        cors_origins="",
        http_processes=3,
    )
    environ = environment_of(settings)
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    assert load(ours) == settings
    assert "PLAYHEAD_LOG_LEVEL" not in environ
    assert environ["PATH"] == os.environ["PATH"]


def test_every_setting_survives_the_way_through_the_environment() -> None:
    changed: dict[str, Any] = {}
    for name, info in Settings.model_fields.items():
        if isinstance(info.default, bool):
            changed[name] = not info.default
        elif isinstance(info.default, int | float):
            changed[name] = info.default + 1
    settings = load({}, **changed)
    ours = {name: value for name, value in environment_of(settings).items() if name.startswith(PREFIX)}
    assert load(ours).model_dump(exclude={"data_dir"}) == settings.model_dump(exclude={"data_dir"})


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")]
)
def test_the_address_is_one_that_this_machine_reaches(host: str, shown: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        assert address_of(host, listener) == f"http://{shown}:{listener.getsockname()[1]}"
