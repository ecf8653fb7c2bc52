"""The memory that a process may have: what the control groups of both versions say, in the container and outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from playhead.memory_limit import bytes_in_flight, memory_limit
from playhead.settings import Settings
from tests.servers import memory_cage

MACHINE = memory_limit(Path("/nowhere"), Path("/nowhere"))


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "300000000\n"}, 300_000_000),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "300000000\n"}, 300_000_000),
        ("0::/a/b\n", {"a/b/memory.max": "200000000\n", "a/memory.max": "300000000\n"}, 200_000_000),
        ("0::/docker/1\n", {"memory.max": "300000000\n"}, 300_000_000),
        ("0::/a\n", {"unified/a/memory.max": "300000000\n"}, 300_000_000),
        ("0::/\n", {"memory.max": "max\n"}, MACHINE),
        ("3:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "300000000\n"}, 300_000_000),
        ("3:memory:/docker/1\n", {"memory/memory.limit_in_bytes": "300000000\n"}, 300_000_000),
        ("3:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, MACHINE),
        ("3:cpu:/a\n", {"memory/a/memory.limit_in_bytes": "300000000\n"}, MACHINE),
        ("", {}, MACHINE),
        ("\nodd\n0::/\n", {"memory.max": "300000000\n"}, 300_000_000),
    ],
)
def test_the_least_bound_holds(tmp_path: Path, groups: str, files: dict[str, str], limit: int) -> None:
    own = tmp_path / "own"
    own.write_text(groups)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit(tmp_path, own) == limit


def test_what_waits_fits_into_the_memory() -> None:
    assert MACHINE > 1_000_000_000
    assert bytes_in_flight(Settings(journal_inflight_bytes=1000)) == 1000
    assert bytes_in_flight(Settings(journal_inflight_bytes=2**60)) == MACHINE // 8
    assert bytes_in_flight(Settings(journal_inflight_bytes=2**60, http_processes=4)) == MACHINE // 8 // 4
    for largest in ("max_images_bytes", "max_batch_bytes", "max_json_bytes"):
        one = Settings(journal_inflight_bytes=2**60).model_copy(update={largest: 2**50})
        assert bytes_in_flight(one) == 2**50 + 2**48


def test_a_process_knows_its_cage() -> None:
    with memory_cage(300_000_000) as cage:
        told = "from playhead.memory_limit import memory_limit; print(memory_limit())"
        shell = f'echo $$ > {cage}/cgroup.procs; exec "$@"'
        ran = subprocess.run(
            ["/bin/sh", "-c", shell, "sh", sys.executable, "-c", told],
            capture_output=True,
            text=True,
            check=True,
        )
        assert abs(int(ran.stdout) - 300_000_000) < 10_000
