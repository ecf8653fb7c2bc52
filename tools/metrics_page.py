"""docs/reference/metrics.md, from playhead/telemetry.py."""

from __future__ import annotations

import inspect

from playhead import telemetry
from tools.markdown import table

HEAD = """\
# Metrics

Rendered from `playhead/telemetry.py` by `make docs`; do not edit.

`GET /metrics` of any HTTP process answers for all processes that one `playhead serve` (or `http`, `work`) started.
Counters end in `_total`; units stand in the names.
"""


def render_metrics_page() -> str:
    """The whole page, in the groups of the source."""
    by_name = {metric.name: metric for metric in telemetry.METRICS}
    parts = [HEAD]
    for title, names in _groups():
        rows = [_row(by_name[name]) for name in names]
        parts.append(
            f"\n## {title[:1].upper() + title[1:]}\n\n" + table(["Metric", "Kind", "Labels", "Meaning"], rows)
        )
    return "".join(parts)


def _groups() -> list[tuple[str, list[str]]]:
    """Titles (`# -- title` in the source) and the metrics under each."""
    groups: list[tuple[str, list[str]]] = []
    source = inspect.getsource(telemetry).partition("\nMETRICS")[2].partition("\n)")[0]
    for line in source.splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            groups.append((text[5:].partition(":")[0], []))
        elif '("playhead_' in text:
            groups[-1][1].append(text.split('"')[1])
    return groups


def _row(metric: telemetry.Metric) -> list[str]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return [f"`{metric.name}`", metric.kind, labels, f"{metric.meaning} ({metric.unit})"]
