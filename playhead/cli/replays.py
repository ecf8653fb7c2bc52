"""replay list, show, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, run, say, services_of, show_json, show_table, when
from playhead.errors import NotFound

if TYPE_CHECKING:
    from playhead.wiring import Services
    from sessions import Session

app = typer.Typer(help="Recorded sessions.", no_args_is_help=True, rich_markup_mode=None)
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


@app.command(epilog="Example: playhead replay delete 3645366763814944769 --yes")
def delete(
    session_id: SessionId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Erase a session for good: rows, recording, pictures; what still arrives of it is dropped."""
    if not yes:
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
        page = await services.replays.page(ReplayFilters(facets=facets, text=text, limit=limit), scope)
        return [
            {
                **view_of(each, []).as_json(projects.get(each.project_id)),
                "issue_types": list(each.issue_types),
            }
            for each in page.sessions
        ]


async def _show(session_id: str, config: Config) -> dict[str, Any]:
    async with services_of(config) as services:
        session = await _found(services, session_id)
        project = await services.projects.find_by_id(session.project_id)
        replay = await services.replays.get(session)
        return replay.as_json(project.project_key if project else None)


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
