"""What the processes of an installation do not load as long as nobody needs it: it would stay in memory for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.playhead.program import ROOT, Program, until

#: for S3, pictures, videos, protobuf, schemas, the command line's tables, a shared cache, HTTP as a client
HEAVY = {
    "boto3",
    "botocore",
    "PIL",
    "av",
    "google",
    "jsonschema_rs",
    "typer",
    "rich",
    "redis",
    "httpx",
    "maxminddb",
}

RUN_FOR_A_WHILE = """
import json, os, signal, sys, threading
from playhead import child

def look():
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Timer(float(sys.argv[1]), look).start()
reading, _ = os.pipe()
child.main([sys.argv[2], "--lifeline", str(reading)])
"""


@pytest.mark.parametrize("role", ["http", "work"])
def test_a_child_at_rest_has_loaded_nothing_that_it_does_not_use(
    role: str, tmp_path: Path, postgres_dsn: str
) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAYHEAD_")}
    environ |= {
        "PLAYHEAD_DATA_DIR": str(tmp_path),
        "PLAYHEAD_DATABASE_URL": postgres_dsn,
        "PLAYHEAD_PORT": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN_FOR_A_WHILE, "8", role],
        env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"asyncpg", "workers" if role == "work" else "uvicorn"} <= loaded
    assert not loaded & HEAVY


def test_the_supervisor_loads_neither_the_http_side_nor_the_workers() -> None:
    code = "import playhead.cli, playhead.supervisor, playhead.sign_in_links, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "playhead" in loaded
    rooms = {"workers", "ingest", "events", "sessions", "messages"}
    assert not loaded & (HEAVY - {"typer"} | rooms | {"uvicorn", "starlette"})


def test_the_demonstration_is_filled_by_a_child(tmp_path: Path) -> None:
    program = Program(tmp_path / "data", "demo")
    try:
        program.await_ready()
        assert until(lambda: "1 of 7" in program.output, within_s=60), program.output
        assert program.stop() == 0
    finally:
        program.close()
