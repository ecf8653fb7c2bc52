"""Short runs of the fuzzers; `PLAYHEAD_FUZZ_S` makes them longer."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("PLAYHEAD_FUZZ_S", "8"))


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="the fuzzer has no wheel for this platform"
)
@pytest.mark.timeout(SECONDS * 4 + 120)
@pytest.mark.parametrize("target", ["wire", "upload"])
def test_any_bytes_give_only_our_errors(target: str, tmp_path: Path) -> None:
    limits = [f"-max_total_time={SECONDS}", "-timeout=5", "-rss_limit_mb=0", "-max_len=65536"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.abuse.fuzz", target, *limits, f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS * 4 + 100,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    executed = [line for line in run.stderr.splitlines() if line.startswith("Done ")]
    assert executed, run.stderr[-2000:]
    assert int(executed[0].split()[1]) > 100
