"""Log lines carry ids, never content; metrics are those of the table."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog

from playhead.errors import StorageUnavailable
from playhead.telemetry import METRICS, configure_logging, counter, gauge, logger, render_metrics

ROOT = Path(__file__).parents[2]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiIxMjMifQ.c2lnbmF0dXJl"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[object]:
    """Log at debug as JSON; call it for the lines so far."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("debug", as_json=True, process="test-1")
    yield lambda: [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_has_action_part_process_and_ids(lines) -> None:
    logger("storage.journal").info("segment_sealed", key="journal/1.seg", records=3)
    (line,) = lines()
    assert line["action"] == "segment_sealed"
    assert (line["part"], line["process"], line["level"]) == ("storage.journal", "test-1", "info")
    assert (line["key"], line["records"]) == ("journal/1.seg", 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "MARKER"),
        ("authorization", "MARKER"),
        ("session_token", b"MARKER"),
        ("password", "MARKER"),
        ("admin_key", "MARKER"),
        ("body", "MARKER"),
        ("payload", {"a": "MARKER"}),
        ("header", "Bearer MARKER"),
        ("text", f"got {TOKEN} MARKER"[: len(TOKEN) + 4]),
        ("url", "postgresql://user:MARKER@host/db"),
        ("key", "ph_admin_MARKERMARKER"),
        ("data", b"MARKER"),
        ("problem", ValueError("MARKER")),
    ],
)
def test_secrets_and_content_are_left_out(lines, name: str, value: object) -> None:
    logger("x").warning("something_happened", **{name: value})
    (line,) = lines()
    assert "MARKER" not in orjson.dumps(line).decode()
    assert TOKEN not in orjson.dumps(line).decode()


def test_a_free_text_is_no_action(lines) -> None:
    logger("x").info("user MARKER signed in")
    assert lines()[0]["action"] == "unnamed"


def test_an_exception_shows_its_places_and_not_its_words(lines) -> None:
    def fail() -> None:
        raise StorageUnavailable("bucket MARKER") from ValueError("MARKER")

    try:
        fail()
    except StorageUnavailable as problem:
        logger("x").error("put_failed", exc_info=problem)
    (line,) = lines()
    assert (line["error"], line["code"], line["cause"]) == (
        "StorageUnavailable",
        "storage_unavailable",
        "ValueError",
    )
    assert "test_telemetry.py" in line["at"]
    assert "fail" in line["at"]
    assert "MARKER" not in orjson.dumps(line).decode()


def test_lines_of_libraries_lose_their_arguments(lines) -> None:
    try:
        raise KeyError("MARKER")
    except KeyError:
        logging.getLogger("some.library").exception("request %s failed\nMARKER", "MARKER")
    (line,) = lines()
    assert (line["action"], line["template"], line["error"]) == (
        "library_line",
        "request %s failed",
        "KeyError",
    )
    assert "MARKER" not in orjson.dumps(line).decode()


def test_long_values_are_cut(lines) -> None:
    logger("x").info("cut", reason="x" * 5_000)
    assert len(lines()[0]["reason"]) < 300


def test_every_metric_of_the_table_is_exported_with_its_meaning() -> None:
    text = render_metrics()[0].decode()
    for metric in METRICS:
        exported = metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
        assert f"# TYPE {metric.name} {metric.kind}" in text or f"# TYPE {exported} {metric.kind}" in text
        assert metric.meaning


def test_names_say_their_unit() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert metric.name.startswith("playhead_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        if metric.unit == "s":
            assert metric.name.endswith("_seconds")
        if metric.unit == "bytes" and metric.kind != "counter":
            assert metric.name.endswith("_bytes")


def test_only_metrics_of_the_table_exist() -> None:
    with pytest.raises(KeyError):
        counter("playhead_nonsense_total")
    with pytest.raises(TypeError, match="counter"):
        gauge("playhead_recordings_total")


def test_numbers_of_several_processes_are_pooled(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    add = "from playhead.telemetry import *; counter('playhead_recordings_total').labels('new').inc(3)"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", add], env=environ, check=True)
    show = "from playhead.telemetry import *; print(render_metrics()[0].decode())"
    shown = subprocess.run(
        [sys.executable, "-c", show], env=environ, check=True, capture_output=True, text=True
    )
    assert 'playhead_recordings_total{outcome="new"} 6.0' in shown.stdout
