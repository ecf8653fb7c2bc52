"""What all commands share: options, settings, services, and output for people or for programs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer

from playhead.settings import Settings, load
from playhead.telemetry import configure_logging

if TYPE_CHECKING:
    from playhead.wiring import Services

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="TOML file with settings; PLAYHEAD_* variables win over it.", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_T = TypeVar("_T")


def settings_from(config: Path | None, **overrides: Any) -> Settings:
    """Settings of this command, logging set up. Raises BadSettings."""
    settings = load(os.environ, config=config, **overrides)
    configure_logging(settings.log_level, as_json=settings.log_json)
    return settings


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's coroutine."""
    return asyncio.run(main)


@asynccontextmanager
async def services_of(config: Path | None) -> AsyncIterator[Services]:
    """Services for a command that is run by hand, beside a running `serve` or without one."""
    from playhead.database import require_migrated, with_database
    from playhead.wiring import open_services

    async with (
        with_database(settings_from(config)) as settings,
        open_services(settings, role="cli") as services,
    ):
        await require_migrated(services.db)
        yield services


def say(line: str = "") -> None:
    """A line for people or programs on standard output."""
    print(line, flush=True)


def complain(line: str) -> None:
    """A line on standard error."""
    print(f"playhead: {line}", file=sys.stderr, flush=True)


def show_json(value: Any) -> None:
    """Indented JSON on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
    sys.stdout.flush()


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on a terminal, tab-separated lines with a heading elsewhere."""
    shown = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in [list(columns), *shown]:
            say("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    first = max([len(columns[0]), *(len(row[0]) for row in shown)])
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, name in enumerate(columns):  # the first column is to be copied, so it is never cut
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=None if place else first)
    for row in shown:
        table.add_row(*(Text(value) for value in row))
    Console().print(table)


def when(ms: int | None) -> str:
    """A time for people: UTC to the second."""
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _cell(value: object) -> str:
    """One line of printable characters: what users typed cannot move the cursor."""
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else "�" for letter in text)
