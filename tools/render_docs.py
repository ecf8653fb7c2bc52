"""Writes what is rendered from code: reference pages, and the player's knowledge of messages.

`--check` writes nothing and exits 1 when a file is stale.

A new page is a line in PAGES: its path and a function that returns its text.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.command_page import render_commands
from tools.http_page import render_http
from tools.message_page import render_messages
from tools.metrics_page import render_metrics_page
from tools.player_schema import render_player_schema
from tools.settings_page import render_settings

ROOT = Path(__file__).resolve().parent.parent

PAGES: list[tuple[str, Callable[[], str]]] = [
    ("docs/reference/commands.md", render_commands),
    ("docs/reference/http.md", render_http),
    ("docs/reference/messages.md", render_messages),
    ("docs/reference/metrics.md", render_metrics_page),
    ("docs/reference/settings.md", render_settings),
    ("player/schema.js", render_player_schema),
]


def stale(root: Path = ROOT) -> list[str]:
    """Paths of the pages that are missing or differ from what the code says."""
    return [path for path, render in PAGES if _read(root / path) != render()]


def write(root: Path = ROOT) -> list[str]:
    """Renders what is stale -> its paths."""
    paths = stale(root)
    for path, render in PAGES:
        if path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(render(), "utf-8")
    return paths


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """0; with `--check` 1 when a page is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when a page is stale")
    if parser.parse_args(arguments).check:
        paths = stale(root)
        for path in paths:
            print(f"{path} is stale: run `make docs`", file=sys.stderr)
        return 1 if paths else 0
    for path in write(root):
        print(f"wrote {path}")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
