"""Commands run by hand against a real database: what they print, and how they exit."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from playhead.cli import main
from playhead.cli.projects import fields_of

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def playhead(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command in this process -> (exit status, output, errors)."""
    monkeypatch.setenv("PLAYHEAD_DATABASE_URL", postgres_dsn)
    monkeypatch.setenv("PLAYHEAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PLAYHEAD_LOG_LEVEL", "error")

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def as_json(result: tuple[int, str, str]) -> Any:
    assert result[0] == 0, result[2]
    return json.loads(result[1])


def test_projects_are_made_listed_and_changed(playhead: Command) -> None:
    made = as_json(playhead("project", "create", "Shop", "--key", "shop", "--platform", "ios", "--json"))
    assert (made["key"], made["platform"], made["sample_rate"]) == ("shop", "ios", 100)
    assert made["hamustro"]["shared_secret"]
    conditions = (
        '[{"name":"slow","capture_rate":50,"filters":[{"type":"userId","operator":"is","value":["7"]}]}]'
    )
    changed = as_json(
        playhead(
            *("project", "set", "shop", "sample_rate=25", "hamustro.signature=optional", "active=true"),
            *(f"conditions={conditions}", "--json"),
        )
    )
    assert (changed["sample_rate"], changed["hamustro"]["signature"]) == (25, "optional")
    assert changed["hamustro"]["shared_secret"] == made["hamustro"]["shared_secret"]
    assert changed["conditions"][0]["name"] == "slow"
    assert [each["key"] for each in as_json(playhead("project", "list", "--json"))] == ["shop"]
    _, listed, _ = playhead("project", "list")
    assert listed.splitlines()[0].split("\t")[:2] == ["key", "name"]
    assert listed.splitlines()[1].split("\t")[:2] == ["shop", "Shop"]


def test_api_keys_show_their_secret_once(playhead: Command) -> None:
    playhead("project", "create", "Shop", "--key", "shop")
    made = as_json(playhead("apikey", "create", "--project", "shop", "--role", "write", "--json"))
    assert made["secret"].startswith("phk_")
    listed = playhead("apikey", "list")[1]
    assert made["id"] in listed
    assert made["secret"] not in listed
    assert playhead("apikey", "revoke", made["id"])[0] == 0
    (row,) = as_json(playhead("apikey", "list", "--project", "shop", "--json"))
    assert row["revoked_ms"] is not None


def test_sign_in_links_lead_to_the_player(playhead: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    playhead("project", "create", "Shop", "--key", "shop")
    link = as_json(playhead("sign-in", "--json"))
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/sign-in#code=[\w-]{43}", link["url"])
    assert (link["role"], link["project"]) == ("admin", None)
    monkeypatch.setenv("PLAYHEAD_PUBLIC_URL", "https://replay.example/")
    monkeypatch.setenv("PLAYHEAD_SIGN_IN_LINK_TTL_S", "60")
    other = as_json(playhead("sign-in", "--project", "shop", "--role", "write", "--json"))
    assert other["url"].startswith("https://replay.example/sign-in#code=")
    assert (other["role"], other["project"]) == ("write", "shop")
    assert other["ends_ms"] < link["ends_ms"] < other["ends_ms"] + 900_000
    _, shown, _ = playhead("sign-in", "--url", "http://phone.local:1")
    assert shown.startswith("http://phone.local:1/sign-in#code=")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["project", "create", "Shop", "--key", "a b"], 2, "key"),
        (["project", "create", "Shop", "--platform", "web"], 2, "'ios', 'android' or 'all'"),
        (["project", "set", "shop", "colour=red"], 2, "colour"),
        (["project", "set", "shop", "sample_rate=most"], 2, "sample_rate"),
        (["project", "create", "Shop", "--sample-rate", "101"], 2, "100"),
        (["project", "set", "shop", "nonsense"], 2, "FIELD=VALUE"),
        (["project", "set", "nobody", "name=x"], 1, "no project with this key"),
        (["apikey", "create", "--project", "nobody"], 1, "no project"),
        (["apikey", "revoke", "nothing"], 1, "no API key"),
        (["replay", "show", "123"], 1, "no such replay"),
        (["replay", "show", "x"], 1, "no such replay"),
        (["replay", "delete", "123", "--yes"], 1, "no such replay"),
        (["replay", "export", "123", "--format", "json"], 1, "no such replay"),
        (["replay", "export", "123", "-o", "x.avi"], 2, "--format"),
        (["replay", "export", "123", "--format", "avi"], 2, "avi"),
        (["dead-letters", "show", "1"], 1, "no dead letter"),
        (["dead-letters", "retry"], 2, "--all"),
        (["dead-letters", "retry", "5"], 1, "5: no dead letter"),
        (["sign-in", "--project", "nobody"], 1, "no project"),
        (["sign-in", "--role", "write"], 2, "--project"),
        (["nonsense"], 2, "nonsense"),
        (["simulate"], 2, "--url"),
        (["simulate", "--url", "http://127.0.0.1:9", "--project", "x", "--speedup", "0"], 1, "no answer"),
        (["serve", "--config", "/nowhere/x.toml"], 2, "x.toml"),
    ],
)
def test_faults_end_with_1_or_2_and_a_line(
    playhead: Command, arguments: list[str], status: int, said: str
) -> None:
    ended, _, errors = playhead(*arguments)
    assert ended == status
    assert said in errors
    assert "Traceback" not in errors


def test_all_faults_of_settings_are_told_at_once(playhead: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_PORT", "many")
    monkeypatch.setenv("PLAYHEAD_NO_SUCH", "1")
    status, _, errors = playhead("project", "list")
    assert status == 2
    assert "PLAYHEAD_PORT" in errors
    assert "PLAYHEAD_NO_SUCH: no such setting" in errors


@pytest.mark.parametrize("command", ["http", "work"])
def test_a_fleet_process_needs_a_database(
    playhead: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("PLAYHEAD_DATABASE_URL")
    status, _, errors = playhead(command)
    assert status == 2
    assert "PLAYHEAD_DATABASE_URL" in errors


def test_every_command_has_help_with_an_example(playhead: Command) -> None:
    commands = ["serve", "demo", "http", "work", "migrate", "sign-in", "simulate", "doctor"]
    groups = {
        "project": ["create", "list", "set"],
        "apikey": ["create", "list", "revoke"],
        "replay": ["list", "show", "export", "delete"],
        "dead-letters": ["list", "show", "retry"],
        "erasures": ["list", "projects", "users", "check", "export", "apply"],
    }
    alone = [[each] for each in (*commands, *groups)]
    for words in alone + [[g, each] for g, those in groups.items() for each in those]:
        status, shown, _ = playhead(*words, "--help")
        assert status == 0
        assert f"playhead {' '.join(words)}" in shown.partition("Example:")[2], words
    status, shown, _ = playhead("--help")
    assert all(name in shown for name in [*commands, *groups])
    assert "demo-data" not in shown


def test_a_script_deletes_without_being_asked(playhead: Command, postgres_dsn: str) -> None:
    playhead("project", "create", "Shop", "--key", "shop")

    async def record() -> None:
        conn = await asyncpg.connect(postgres_dsn)
        await conn.execute("INSERT INTO sessions (project_id, session_id, started_ms) VALUES (1, 77, 5)")
        await conn.close()

    asyncio.run(record())
    assert playhead("replay", "delete", "77") == (0, "session 77 erased\n", "")
    assert playhead("replay", "show", "77")[0] == 1


def test_erasures_are_told_and_checked(playhead: Command, postgres_dsn: str, tmp_path: Path) -> None:
    assert playhead("erasures", "check")[:2] == (0, "nothing is left of 0 sessions, 0 projects, 0 users\n")

    async def leave_something() -> None:
        conn = await asyncpg.connect(postgres_dsn)
        await conn.execute(
            "INSERT INTO erased_sessions (project_id, session_id, erased_ms) VALUES (1, 77, 5)"
        )
        await conn.execute("INSERT INTO sessions (project_id, session_id, started_ms) VALUES (1, 77, 5)")
        await conn.execute(
            "INSERT INTO erased_users (project_id, user_id, erased_us, removed) VALUES (1, 'ana', 5000, $1)",
            '{"events": 9}',
        )
        await conn.execute(
            "INSERT INTO erased_projects (project_id, project_key, erased_ms) VALUES (8, 'old', 5)"
        )
        await conn.execute("INSERT INTO received VALUES (8, 7, 'x')")
        for session_id, at_ms in ((78, 4), (79, 6)):  # before and after the erasure
            await conn.execute("INSERT INTO facets VALUES (1, 'user_id', 'ana', $1, $2)", at_ms, session_id)
            await conn.execute(
                "INSERT INTO sessions (project_id, session_id, started_ms) VALUES (1, $1, $2)",
                session_id,
                at_ms,
            )
            await conn.execute(
                "INSERT INTO event_errors (project_id, received_us, code, codes, details, event) "
                "VALUES (1, $1, 'bad', '{bad}', '[]', $2)",
                at_ms * 1000,
                b'{"user_id": "ana"}',
            )
        await conn.close()

    asyncio.run(leave_something())
    status, _, problem = playhead("erasures", "check")
    lines = [
        "session 77: 1 in sessions",
        "project old: 1 in received, 1 in journal (not looked through yet)",
        "user ana of project 1: 1 in sessions, 1 in event_errors",
    ]
    assert (status, problem) == (1, "".join(f"playhead: {line}\n" for line in lines))
    assert as_json(playhead("erasures", "users", "--json"))[0]["removed"] == {"events": 9}
    assert "9 events" in playhead("erasures", "users")[1]
    assert "old" in playhead("erasures", "projects")[1]
    assert [row["session_id"] for row in as_json(playhead("erasures", "list", "--json"))] == ["77"]
    assert "77" in playhead("erasures", "list")[1]

    status, lines_told, _ = playhead("erasures", "export")
    file = tmp_path / "erasures.jsonl"
    file.write_text(lines_told)
    assert (status, len(lines_told.splitlines())) == (0, 3)
    again = (0, "erased again: 1 projects, 1 users, 1 sessions\n", "")
    assert playhead("erasures", "apply", str(file)) == again
    assert "session 77" not in playhead("erasures", "check")[2]
    file.write_text("nothing")
    status, _, problem = playhead("erasures", "apply", str(file))
    assert status == 2 and "line 1 tells of no erasure" in problem


def test_migrate_says_what_it_did(playhead: Command, empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYHEAD_DATABASE_URL", empty_dsn)
    assert "0001" in playhead("migrate")[1]
    assert playhead("migrate")[1] == "the schema is up to date\n"


def test_settings_come_from_a_file_and_the_environment_wins(
    playhead: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_dsn: str, postgres_dsn: str
) -> None:
    config = tmp_path / "playhead.toml"
    config.write_text(f'database_url = "{postgres_dsn}"\nlog_level = "error"\n')
    assert tomllib.loads(config.read_text())
    monkeypatch.delenv("PLAYHEAD_DATABASE_URL")
    assert playhead("project", "list", "--config", str(config))[0] == 0
    monkeypatch.setenv("PLAYHEAD_DATABASE_URL", empty_dsn)
    assert playhead("project", "list", "--config", str(config))[0] == 1


def test_fields_are_nested_by_dots_and_take_json() -> None:
    assert fields_of(["a=1", "b.c=x=y", "b.d=[1,2]", "e={}", "f="]) == {
        "a": "1",
        "b": {"c": "x=y", "d": [1, 2]},
        "e": {},
        "f": "",
    }
