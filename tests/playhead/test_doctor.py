"""doctor finds what is wrong, says how to mend it, and counts the ledger."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from playhead.cli import main
from playhead.doctor import Finding, State, collect
from playhead.settings import Settings, load
from storage.postgres import open_pool
from tests.servers import S3


async def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await collect(settings)}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_healthy_system_has_no_failure(
    postgres_dsn: str, redis_url: str, s3: S3, tmp_path: Path
) -> None:
    store: dict[str, Any] = s3.settings
    settings = load({}, data_dir=tmp_path, database_url=postgres_dsn, redis_url=redis_url, **store)
    found = await findings(settings)
    assert {name for name, each in found.items() if each.state is State.FAIL} == set()
    assert found["object store"].state is State.OK
    assert found["shared cache"].detail == "Redis answers"
    assert found["database"].detail.startswith("Postgres 1")
    assert found["notices"].state is State.OK
    # secrets made on one machine alone would not fit those of another
    assert found["token secret"].state is State.NOTE
    assert "PLAYHEAD_TOKEN_SECRETS" in found["token secret"].mend


async def test_what_cannot_be_reached_is_named_with_a_way_out(tmp_path: Path) -> None:
    port = closed_port()
    blocked = tmp_path / "objects"
    blocked.write_text("a file where a folder should be")
    settings = load(
        {},
        data_dir=tmp_path,
        database_url=f"postgresql://playhead:hush@127.0.0.1:{port}/playhead",
        redis_url=f"redis://127.0.0.1:{port}",
        objects_url=f"file://{blocked}",
        geoip_path=str(tmp_path / "none.mmdb"),
    )
    found = await findings(settings)
    for name in ("database", "shared cache", "object store", "geo database"):
        assert found[name].state is State.FAIL, name
        assert found[name].mend, name
    assert not any("hush" in each.detail for each in found.values())


async def test_an_old_schema_is_found(empty_dsn: str, tmp_path: Path) -> None:
    found = await findings(load({}, data_dir=tmp_path, database_url=empty_dsn))
    assert found["migrations"].state is State.FAIL
    assert "0001" in found["migrations"].detail
    assert found["migrations"].mend == "playhead migrate"


async def test_a_ledger_that_does_not_balance_is_found(postgres_dsn: str, tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path, database_url=postgres_dsn)
    async with open_pool(settings) as db:
        await db.execute(
            "INSERT INTO projects (project_key, name, created_ms, updated_ms) VALUES ('shop', 'Shop', 0, 0)"
        )
        rows = [("accepted", 10), ("stored", 6), ("duplicate", 1), ("expired", 1), ("quarantined", 2)]
        for fate, count in rows:
            await db.execute("INSERT INTO ledger VALUES (1, 'record', $1, $2)", fate, count)
        assert (await findings(settings))["ledger shop"].state is State.OK
        await db.execute("UPDATE ledger SET count = 11 WHERE fate = 'accepted'")
        ledger = (await findings(settings))["ledger shop"]
    assert ledger.state is State.FAIL
    assert ledger.detail.endswith("+1")


async def test_segments_that_nobody_processes_are_found(postgres_dsn: str, tmp_path: Path) -> None:
    settings = load({}, data_dir=tmp_path, database_url=postgres_dsn)
    async with open_pool(settings) as db:
        await db.execute(
            "INSERT INTO segments (segment_key, created_ms, bytes, records, ordered, accepted) "
            "VALUES ('journal/x.seg', 1, 10, 1, false, '{}')"
        )
        workers = (await findings(settings))["workers"]
    assert workers.state is State.FAIL
    assert "1 segments wait" in workers.detail


async def test_a_secret_that_others_can_read_is_found(postgres_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    path = tmp_path / "secrets" / "admin_key"
    path.write_text("ph_admin_x")
    path.chmod(0o644)
    found = (await findings(load({}, data_dir=tmp_path, token_secrets="x", database_url=postgres_dsn)))[
        "admin key"
    ]
    assert (found.state, found.mend) == (State.FAIL, f"chmod 600 {path}")


@pytest.mark.parametrize("healthy", [True, False])
def test_the_command_says_so_in_json_and_by_its_exit_status(
    healthy: bool,
    postgres_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PLAYHEAD_DATABASE_URL", postgres_dsn)
    monkeypatch.setenv("PLAYHEAD_DATA_DIR", str(tmp_path))
    if not healthy:
        monkeypatch.setenv("PLAYHEAD_REDIS_URL", f"redis://127.0.0.1:{closed_port()}")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["healthy"] is healthy
    assert ended.value.code == (0 if healthy else 1)
