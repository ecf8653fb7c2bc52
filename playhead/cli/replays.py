"""replay list, show, export, delete."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, run, say, services_of, show_json, show_table, when
from playhead.errors import NotFound, PlayheadError

if TYPE_CHECKING:
    from playhead.wiring import Services
    from sessions import Session


class Format(StrEnum):
    """What an export can be."""

    HTML = "html"
    MP4 = "mp4"
    JSON = "json"
    TEXT = "text"


app = typer.Typer(
    help="Recorded sessions.",
    epilog="Example: playhead replay list --project shop",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SessionId = Annotated[str, typer.Argument(metavar="ID", help="Session id.")]


@app.command(name="list", epilog="Example: playhead replay list --project shop --issue crash --limit 20")
def list_(
    project: Annotated[str | None, typer.Option(help="Only this project's.")] = None,
    platform: Annotated[str | None, typer.Option(help="ios or android.")] = None,
    user_id: Annotated[str | None, typer.Option(help="The app's id of its user.")] = None,
    issue: Annotated[str | None, typer.Option(help="crash, tap_rage, anr…")] = None,
    text: Annotated[str | None, typer.Option(help="Something that was in it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Newest first."""
    facets = {
        name: value
        for name, value in (("platform", platform), ("user_id", user_id), ("issue", issue))
        if value is not None
    }
    rows = run(_list(project, facets, text, limit, config))
    if as_json:
        show_json(rows)
        return
    columns = (
        "session_id",
        "project",
        "started",
        "duration_s",
        "platform",
        "device",
        "user",
        "events",
        "issues",
    )
    show_table(columns, [_line(row) for row in rows])


@app.command(epilog="Example: playhead replay show 3645366763814944769 --json")
def show(session_id: SessionId, as_json: AsJson = False, config: Config = None) -> None:
    """Everything about one session but its content."""
    shown = run(_show(session_id, config))
    if as_json:
        show_json(shown)
        return
    for name, value in _flat(shown):
        say(f"{name:<28} {value}")


@app.command(epilog="Example: playhead replay export 3645366763814944769 --format html -o crash.html")
def export(
    session_id: SessionId,
    format: Annotated[
        Format | None, typer.Option(help="html, mp4, json or text; by the file's name if not given.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The file, - for standard output.")
    ] = None,
    config: Config = None,
) -> None:
    """Write one session as one file: a page that plays without a network, a video, or what happened as JSON or text."""
    chosen = format or _format_of(output)
    path, size = run(_export(session_id, chosen, output, config))
    if path != "-":
        say(f"{path}: {size:,} bytes")


@app.command(epilog="Example: playhead replay delete 3645366763814944769")
def delete(
    session_id: SessionId,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; only who sits at a terminal is asked.")
    ] = False,
    config: Config = None,
) -> None:
    """Erase a session for good: rows, recording, pictures; what still arrives of it is dropped."""
    if not yes and sys.stdin is not None and sys.stdin.isatty():
        typer.confirm(f"Erase session {session_id} for good?", abort=True)
    run(_delete(session_id, config))
    say(f"session {session_id} erased")


async def _list(
    project_key: str | None, facets: dict[str, str], text: str | None, limit: int, config: Config
) -> list[dict[str, Any]]:
    from sessions.search import ReplayFilters
    from sessions.view import view_of

    async with services_of(config) as services:
        projects = {each.project_id: each.project_key for each in await services.projects.list()}
        scope = None
        if project_key is not None:
            scope = [(await services.projects.by_key(project_key, inactive=True)).project_id]
        filters = ReplayFilters(facets=facets, text=text, limit=limit)
        page = await services.replays.page(filters, scope)
        found = page.sessions
        while page.next_cursor is not None and len(found) < limit:  # a page may end early
            page = await services.replays.page(replace(filters, cursor=page.next_cursor), scope)
            found += page.sessions
        return [
            {
                **view_of(each, []).as_json(projects.get(each.project_id)),
                "issue_types": list(each.issue_types),
            }
            for each in found[:limit]
        ]


async def _show(session_id: str, config: Config) -> dict[str, Any]:
    async with services_of(config) as services:
        session = await _found(services, session_id)
        project = await services.projects.find_by_id(session.project_id)
        replay = await services.replays.get(session)
        return replay.as_json(project.project_key if project else None)


def _format_of(output: str | None) -> Format:
    """By the file's ending. Raises typer.BadParameter."""
    ending = Path(output or "").suffix.removeprefix(".").lower()
    found = {"txt": Format.TEXT, **{each.value: each for each in Format}}.get(ending)
    if found is None:
        raise typer.BadParameter("give --format, or a file that ends with one")
    return found


async def _export(session_id: str, format: Format, output: str | None, config: Config) -> tuple[str, int]:
    """Write the file, whole or not at all -> (where, bytes)."""
    from sessions.export import filename_of

    async with services_of(config) as services:
        session = await _found(services, session_id)
        project = await services.projects.find_by_id(session.project_id)
        path = output or filename_of(session, format.value)
        with _written(path) as file, _progress() as told:
            export = await services.exporter.open(
                session, format.value, project.project_key if project is not None else None
            )
            size = 0
            async for chunk in export.chunks:
                await asyncio.to_thread(file.write, chunk)
                size += len(chunk)
                told(size)
        return path, size


@contextmanager
def _written(path: str) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is whole."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = Path(f"{path}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as problem:
        raise PlayheadError(f"{path}: {problem.strerror}") from problem
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Tells how much has been written, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("exporting"), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda size: shown.update(task, completed=size)


async def _delete(session_id: str, config: Config) -> None:
    async with services_of(config) as services:
        await services.replays.delete(await _found(services, session_id))


async def _found(services: Services, session_id: str) -> Session:
    if not (session_id.isascii() and session_id.isdigit() and len(session_id) <= 19):
        raise NotFound("no such replay")
    return await services.replays.find(int(session_id), None)


def _line(row: dict[str, Any]) -> list[object]:
    device, user = row["device"], row["user"]
    return [
        row["session_id"],
        row["project"],
        when(row["started_ms"]),
        round(row["duration_ms"] / 1000),
        row["platform"],
        device["name"] or device["model"],
        user["id"] or user["anonymous_id"] or "",
        row["counts"]["events"],
        ",".join(row["issue_types"]),
    ]


def _flat(value: Any, name: str = "") -> list[tuple[str, object]]:
    """Nested members as dotted names."""
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in _flat(each, f"{name}.{key}" if name else key)]
    if isinstance(value, list):
        return [pair for number, each in enumerate(value) for pair in _flat(each, f"{name}.{number}")]
    return [(name, value)]
