"""erasures list, check, export, apply."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, complain, run, say, services_of, show_json, show_table, when

if TYPE_CHECKING:
    from playhead.wiring import Services

app = typer.Typer(
    help="What was erased, and proof that it is gone.",
    epilog="Example: playhead erasures list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PAGE = 1000


@app.command(name="list", epilog="Example: playhead erasures list --limit 20")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Erased sessions with what was removed, newest first."""
    rows = run(_list(limit, config))
    if as_json:
        show_json(rows)
        return
    columns = ("session_id", "erased", "removed", "late", "in the journal", "clear since")
    show_table(
        columns,
        [
            (
                row["session_id"], when(row["erased_ms"]), sum(row["removed"].values()), row["late_records"],
                row["blanked"], when(row["cleared_ms"]),
            )
            for row in rows
        ],
    )  # fmt: skip


@app.command(epilog="Example: playhead erasures projects")
def projects(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Erased projects with what was removed, newest first."""
    rows = run(_projects(limit, config))
    if as_json:
        show_json(rows)
        return
    shown = [
        (
            row["project_key"],
            when(row["erased_ms"]),
            _told(row["removed"]),
            row["blanked"],
            when(row["cleared_ms"]),
        )
        for row in rows
    ]
    show_table(("project", "erased", "removed", "in the journal", "clear since"), shown)


@app.command(epilog="Example: playhead erasures users")
def users(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Erased users with what was removed, newest first; each of their sessions is in `list`, too."""
    rows = run(_users(limit, config))
    if as_json:
        show_json(rows)
        return
    shown = [
        (
            row["project_id"],
            row["user_id"],
            when(row["erased_ms"]),
            _told(row["removed"]),
            when(row["cleared_ms"]),
        )
        for row in rows
    ]
    show_table(("project_id", "user", "erased", "removed", "clear since"), shown)


@app.command(epilog="Example: playhead erasures check")
def check(config: Config = None) -> None:
    """Look for what was erased: sessions and projects in database, objects and journal, users in
    sessions, events, refused events and journal.

    Exit status 1 if there is some.
    """
    counts, left = run(_check(config))
    for what, stores in left.items():
        complain(f"{what}: {', '.join(f'{number} in {store}' for store, number in stores.items())}")
    if left:
        raise typer.Exit(1)
    say(f"nothing is left of {_told(counts)}")


@app.command(epilog="Example: playhead erasures export > erasures.jsonl")
def export(config: Config = None) -> None:
    """All erasures, a line of JSON each: keep them beside your backups, for `apply`."""
    run(_export(config))


@app.command(epilog="Example: playhead erasures apply erasures.jsonl")
def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="what `export` printed")],
    config: Config = None,
) -> None:
    """Erase again what a database has that was restored from a backup of before."""
    from workers.restored import NoErasure, read

    try:
        with file.open("rb") as lines:
            erasures = read(lines)
    except NoErasure as problem:
        raise typer.BadParameter(str(problem)) from None
    say(f"erased again: {_told(run(_apply(erasures, config)))}")


def _told(counts: Mapping[str, int]) -> str:
    """3 sessions, 12 events."""
    return ", ".join(f"{number} {store}" for store, number in counts.items()) or "nothing"


async def _list(limit: int, config: Config) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from sessions import erasure

    async with services_of(config) as services:
        found = await erasure.page(services.db, project_ids=None, before=None, limit=limit)
        return [{**asdict(each), "session_id": str(each.session_id)} for each in found]


async def _projects(limit: int, config: Config) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from workers import erasing

    async with services_of(config) as services:
        return [asdict(each) for each in await erasing.page(services.db, limit)]


async def _users(limit: int, config: Config) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from events import erased_users

    async with services_of(config) as services:
        return [asdict(each) for each in await erased_users.page(services.db, limit)]


async def _check(config: Config) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """How many erasures there were of each kind, and what is left, by whom and store."""
    from http_service.erasing import remains_of_users
    from workers import erasing

    async with services_of(config) as services:
        count, left = await _check_sessions(services)
        projects = await erasing.page(services.db, None)
        for project in projects:
            stores = await erasing.remains(services.db, services.objects, project.project_id)
            if project.cleared_ms is None:
                stores["journal (not looked through yet)"] = 1
            if stores:
                left[f"project {project.project_key}"] = stores
        users, left_of_users = await remains_of_users(services)
        for (project_id, user_id), stores in sorted(left_of_users.items()):
            left[f"user {user_id} of project {project_id}"] = dict(stores)
        return {"sessions": count, "projects": len(projects), "users": users}, left


async def _export(config: Config) -> None:
    from workers import restored

    async with services_of(config) as services:
        async for line in restored.told(services):
            sys.stdout.buffer.write(line)
        sys.stdout.flush()


async def _apply(erasures: list[Any], config: Config) -> Mapping[str, int]:
    from workers import restored

    async with services_of(config) as services:
        return await restored.erase_again(services, erasures)


async def _check_sessions(services: Services) -> tuple[int, dict[str, dict[str, int]]]:
    from sessions import erasure
    from storage import journal_clearing

    count, before = 0, None
    left: dict[str, dict[str, int]] = {}
    while found := await erasure.page(services.db, project_ids=None, before=before, limit=PAGE):
        before = found[-1].session_id
        count += len(found)
        keys = {(each.project_id, each.session_id) for each in found}
        in_journal = await journal_clearing.remains(services.db, services.objects, keys)
        for project_id, session_id in keys:
            stores = await erasure.remains(services.db, services.objects, project_id, session_id)
            if journal := in_journal[project_id, session_id]:
                stores["journal"] = journal
            if stores:
                left[f"session {session_id}"] = stores
    return count, left
