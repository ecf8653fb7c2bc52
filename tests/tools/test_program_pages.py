"""Every command and every metric has its place in the reference."""

from playhead.telemetry import METRICS
from tools.render_docs import ROOT


def test_every_metric_has_a_line():
    page = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
    for metric in METRICS:
        assert page.count(f"| `{metric.name}` | {metric.kind} |") == 1


def test_every_command_has_a_chapter_with_an_example():
    page = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    chapters = page.split("\n## ")[1:]
    assert len(chapters) >= 17
    for chapter in chapters:
        assert chapter.startswith("playhead ")
        assert "\nExample: `" in chapter
    assert "lifeline" not in page
