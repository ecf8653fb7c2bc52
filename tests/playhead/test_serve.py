"""`playhead serve` on a machine: it starts, survives the death of any of its processes, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.report import Report
from client.simulation import Plan, Simulation
from client.transport import HttpTransport, open_http_client
from messages import Layout, decode, fields
from playhead.wiring import wall_clock
from tests.playhead.program import Program, gone, until
from tests.servers import S3


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data of playhead"  # with spaces, as people have them


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    """Programs to end after the test."""
    started: list[Program] = []
    yield started
    for program in started:
        program.close()


def test_first_run_tells_where_it_is_and_a_signal_ends_it_with_0(
    data_dir: Path, programs: list[Program]
) -> None:
    program = Program(data_dir, "serve")
    programs.append(program)
    program.await_ready()
    assert re.search(r"Admin key +ph_admin_", program.output)
    assert f"{program.url}/ingest" in program.output
    assert program.get("/healthz", admin=False).status_code == 200
    assert program.get("/readyz", admin=False).json()["status"] == "ready"
    children = list(program.children().values())
    assert set(program.children()) == {"http-1", "work-1", "postgres"}

    link = re.search(rf"Sign in +{program.url}/sign-in#code=(\S+)", program.output)
    assert link
    printed = program.run("sign-in").stdout
    assert printed.startswith(f"{program.url}/sign-in#code=")  # where the one that runs answers
    for one_time in (link[1], printed.split()[0].partition("#code=")[2]):
        answers = [program.post("/api/v1/sign-in", {"code": one_time}, admin=False) for _ in range(2)]
        assert [each.status_code for each in answers] == [200, 401]
        assert answers[0].json()["role"] == "admin"

    assert program.stop(signal.SIGINT) == 0
    assert gone(children)

    again = Program(data_dir, "serve")
    programs.append(again)
    again.await_ready()
    assert "Admin key" not in again.output
    assert again.stop(signal.SIGTERM) == 0


def test_kill_9_of_the_supervisor_leaves_nobody_behind_and_a_new_one_starts(
    data_dir: Path, programs: list[Program]
) -> None:
    program = Program(data_dir, "serve").await_ready()
    programs.append(program)
    assert program.post("/api/v1/projects", {"name": "Shop", "key": "shop"}).status_code == 201
    children = [child for name, child in program.children().items() if name != "postgres"]
    postgres = program.children()["postgres"]
    port = program.url.rpartition(":")[2]

    program.stop(signal.SIGKILL)
    assert gone(children, within_s=5)

    again = Program(data_dir, "serve", settings={"port": port})
    programs.append(again)
    again.await_ready()
    assert [each["key"] for each in again.get("/api/v1/projects").json()["projects"]] == ["shop"]
    assert gone([postgres])


def test_any_process_that_dies_is_started_again(data_dir: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve").await_ready()
    programs.append(program)
    for name in ("http-1", "work-1", "postgres"):
        victim = program.children()[name]
        victim.send_signal(signal.SIGKILL)
        assert gone([victim])
        assert until(lambda name=name, old=victim.pid: program.children()[name].pid != old), name
        assert until(lambda: program.get("/readyz", admin=False).json()["status"] == "ready"), name
        assert until(lambda: program.get("/api/v1/projects").status_code == 200), name
    for role in ("http", "work"):  # each child counts its own, once it has loaded
        line = f'playhead_process_restarts_total{{process="{role}"}} 1.0'
        assert until(lambda line=line: line in program.get("/metrics").text), line


def test_a_program_that_is_told_to_stop_says_so_before_it_does(
    data_dir: Path, programs: list[Program]
) -> None:
    """Not ready, collectors answer 503, everything else is still taken; then it ends in good order."""
    program = Program(data_dir, "serve", settings={"shutdown_drain_s": "5", "default_project": "shop"})
    programs.append(program.await_ready())
    assert program.post("/api/v1/projects", {"name": "Shop", "key": "shop"}).status_code == 201
    assert program.post("/api/v1/track", {}).status_code == 405
    program.process.send_signal(signal.SIGTERM)
    assert until(lambda: program.get("/readyz").status_code == 503)
    assert program.get("/readyz").json()["status"] == "stopping"
    assert program.post("/api/v1/track", {}).status_code == 503
    assert program.get("/api/health").json() == {"up": True}
    assert program.post("/v1/track", {"userId": "u", "event": "e", "writeKey": "shop"}).status_code == 200
    assert program.process.wait(40) == 0


def test_a_second_serve_on_the_same_data_is_refused(data_dir: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve").await_ready()
    programs.append(program)
    second = Program(data_dir, "serve")
    assert second.process.wait(30) == 1
    assert "in use by another" in second.output
    assert str(program.process.pid) in second.output


def test_a_taken_port_is_a_usage_error(data_dir: Path, tmp_path: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve").await_ready()
    programs.append(program)
    other = Program(tmp_path / "other", "serve", settings={"port": program.url.rpartition(":")[2]})
    assert other.process.wait(30) == 2
    assert "PLAYHEAD_PORT: cannot listen on" in other.output


def test_several_processes_share_the_address(data_dir: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve", settings={"http_processes": "2", "worker_processes": "2"})
    programs.append(program)
    program.await_ready()
    assert set(program.children()) == {"http-1", "http-2", "work-1", "work-2", "postgres"}
    program.children()["http-1"].send_signal(signal.SIGSTOP)
    try:
        assert until(lambda: program.get("/healthz", admin=False).status_code == 200)
    finally:
        program.children()["http-1"].send_signal(signal.SIGCONT)
    assert program.stop() == 0


async def play(url: str, **plan: Any) -> Report:
    """Simulated phones against that server."""
    async with open_http_client() as client:
        return await Simulation.of(Plan("shop", **plan)).run(
            HttpTransport(client, url + "/ingest"), wall_clock
        )


def compare(program: Program, report: Report) -> None:
    """Once all sessions are ready, the API shows exactly what the phones sent."""

    def ready() -> bool:
        rows = program.get("/api/v1/replays?project=shop").json()["replays"]
        return len(rows) == len(report.sessions) and all(row["status"] == "ready" for row in rows)

    assert until(ready, 60), program.output
    for session_id, session in report.sessions.items():
        shown = program.get(f"/api/v1/replays/{session_id}/messages?limit=1000").json()
        assert shown["next_cursor"] is None
        stored = sorted(
            (each["device_timestamp_ms"], each["type"], sorted(each["fields"].items()))
            for each in shown["messages"]
        )
        layout = Layout(session.platform)
        sent = sorted(
            (at_ms, type_, sorted(fields(decode(type_, body, layout)).items()))
            for type_, at_ms, body in report.acknowledged(session_id).elements()
        )
        assert stored == sent
        frames = program.get(f"/api/v1/replays/{session_id}/frames").json()["frames"]
        assert len(frames) == report.pictures_of(session_id).total()


async def test_what_phones_send_is_what_the_api_shows(data_dir: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve", settings={"session_quiet_s": "2"}).await_ready()
    programs.append(program)
    program.post("/api/v1/projects", {"name": "Shop", "key": "shop"})
    report = await play(program.url, sessions=4, minutes=0.8, seed=4)
    assert len(report.sessions) == 4
    compare(program, report)

    # commands beside the running server find its embedded database
    listed = json.loads(program.run("replay", "list", "--project", "shop", "--json").stdout)
    assert {row["session_id"] for row in listed} == {str(session_id) for session_id in report.sessions}
    first = listed[0]["session_id"]
    assert json.loads(program.run("replay", "show", first, "--json").stdout)["session_id"] == first
    saved = data_dir / "out" / "first.html"
    saved.parent.mkdir()
    exported = program.run("replay", "export", first, "-o", str(saved))
    assert exported.returncode == 0, exported.stderr
    answer = program.get(f"/api/v1/replays/{first}/export?format=html")
    assert saved.read_bytes() == answer.content
    assert f"{len(answer.content):,} bytes" in exported.stdout
    assert "Replay" in program.run("replay", "export", first, "--format", "text", "-o", "-").stdout
    assert program.run("replay", "export", first, "-o", str(data_dir / "none" / "x.json")).returncode == 1
    assert [each.name for each in saved.parent.iterdir()] == ["first.html"]
    assert program.run("replay", "delete", first, "--yes").returncode == 0
    assert program.run("replay", "show", first).returncode == 1
    assert program.get(f"/api/v1/replays/{first}").status_code == 404
    examined = program.run("doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    assert any(each["name"] == "ledger shop" for each in json.loads(examined.stdout)["findings"])


async def test_a_fleet_shares_postgres_s3_and_redis(
    postgres_dsn: str, redis_url: str, s3: S3, tmp_path: Path, programs: list[Program]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    shared = {
        "database_url": postgres_dsn,
        "redis_url": redis_url,
        **s3.settings,
        "token_secrets": "of-all-machines",
        "admin_key": "admin-of-all-machines",
        "session_quiet_s": "2",
    }
    front = Program(tmp_path / "front", "http", settings={**shared, "port": str(port), "http_processes": "2"})
    back = Program(tmp_path / "back", "work", settings={**shared, "worker_processes": "2"})
    programs += [front, back]
    front.url, front.key = f"http://127.0.0.1:{port}", "admin-of-all-machines"
    assert until(lambda: front.get("/readyz").json()["status"] == "ready"), front.output
    front.post("/api/v1/projects", {"name": "Shop", "key": "shop"})
    report = await play(front.url, sessions=3, minutes=0.6, seed=8)
    compare(front, report)
    assert set(front.children()) == {"http-1", "http-2"}
    assert set(back.children()) == {"work-1", "work-2"}
    assert (front.stop(), back.stop()) == (0, 0)


def test_a_fleet_process_refuses_an_old_schema(empty_dsn: str, tmp_path: Path) -> None:
    for command in ("http", "work"):
        program = Program(tmp_path / command, command, settings={"database_url": empty_dsn})
        assert program.process.wait(30) == 2
        assert "run `playhead migrate` first" in program.output


def test_secrets_appear_in_no_log_line(data_dir: Path, programs: list[Program]) -> None:
    program = Program(data_dir, "serve", settings={"log_level": "debug"}).await_ready()
    programs.append(program)
    program.get("/api/v1/replays/1?x=MARKER-QUERY")
    program.post("/v1/mobile/start", {"projectKey": "MARKER-KEY", "trackerVersion": "1.0.14"})
    secret = (data_dir / "secrets" / "token_secret").read_text().strip()
    assert program.stop() == 0
    after_banner = program.output.partition("Data  ")[2]
    for marker in (secret, program.admin_key, "MARKER-QUERY", "MARKER-KEY"):
        assert marker not in after_banner
