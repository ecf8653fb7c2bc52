"""dead-letters list, show, retry."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, complain, run, say, services_of, show_json, show_table, when
from playhead.errors import PlayheadError

app = typer.Typer(
    help="What could not be processed.",
    epilog="Example: playhead dead-letters list --project shop",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(name="list", epilog="Example: playhead dead-letters list --project shop")
def list_(
    project: Annotated[str | None, typer.Option(help="Only this project's.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Newest first, with the reason."""
    rows = run(_list(project, limit, config))
    if as_json:
        show_json(rows)
        return
    columns = ("id", "project", "session_id", "kind", "reason", "bytes", "created", "retried")
    show_table(
        columns,
        [
            [*(row[name] for name in columns[:6]), when(row["created_ms"]), when(row["retried_ms"])]
            for row in rows
        ],
    )


@app.command(epilog="Example: playhead dead-letters show 17")
def show(
    letter_id: Annotated[int, typer.Argument(metavar="ID")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Write the record's body to this file.")
    ] = None,
    config: Config = None,
) -> None:
    """One of them, and where its bytes lie."""
    show_json(run(_show(letter_id, output, config)))


@app.command(epilog="Example: playhead dead-letters retry --all")
def retry(
    letter_ids: Annotated[list[int] | None, typer.Argument(metavar="ID...")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were not retried yet.")] = False,
    config: Config = None,
) -> None:
    """Put records into the journal again; the workers then try once more."""
    if not letter_ids and not every:
        raise typer.BadParameter("give ids, or --all")
    done, failed = run(_retry(letter_ids or [], every, config))
    say(f"{done} in the journal again")
    if failed:
        raise typer.Exit(1)


async def _list(project_key: str | None, limit: int, config: Config) -> list[dict[str, Any]]:
    from storage import dead_letters

    async with services_of(config) as services:
        projects = {each.project_id: each.project_key for each in await services.projects.list()}
        scope = None
        if project_key is not None:
            scope = [(await services.projects.by_key(project_key, inactive=True)).project_id]
        letters = await dead_letters.page(services.db, project_ids=scope, before=None, limit=limit)
        return [
            {
                "id": each.dead_letter_id,
                "project": projects.get(each.project_id, str(each.project_id)),
                **{name: value for name, value in asdict(each).items() if name != "dead_letter_id"},
            }
            for each in letters
        ]


async def _show(letter_id: int, output: str | None, config: Config) -> dict[str, Any]:
    from storage import dead_letters

    async with services_of(config) as services:
        letter = await dead_letters.get(services.db, letter_id)
        if output is not None:
            record = await dead_letters.content(services.objects, letter)
            await asyncio.to_thread(Path(output).write_bytes, record.body)
        return asdict(letter)


async def _retry(letter_ids: list[int], every: bool, config: Config) -> tuple[int, int]:
    from storage import dead_letters

    done = failed = 0
    async with services_of(config) as services:
        if every:
            letters = await dead_letters.page(services.db, project_ids=None, before=None, limit=100_000)
            letter_ids = [each.dead_letter_id for each in reversed(letters) if each.retried_ms is None]
        for letter_id in letter_ids:
            try:
                now_ms = services.clock()
                await dead_letters.retry(
                    services.db, services.objects, services.journal, letter_id, now_ms=now_ms
                )
                done += 1
            except PlayheadError as problem:
                complain(f"{letter_id}: {problem}")
                failed += 1
    return done, failed
