"""apikey create, list, revoke."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, run, say, services_of, show_json, show_table, when

app = typer.Typer(
    help="Who may read.",
    epilog="Example: playhead apikey create --project shop --role read",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Role(StrEnum):
    """What a key may do."""

    READ = "read"
    WRITE = "write"


@app.command(epilog="Example: playhead apikey create --project shop --role read")
def create(
    project: Annotated[str, typer.Option(help="Key of the project that it opens.")],
    role: Annotated[Role, typer.Option(help="read, or write too.")] = Role.READ,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Make an API key; its secret is shown this once."""
    shown = run(_create(project, role, config))
    if as_json:
        show_json(shown)
        return
    say(f"key {shown['id']} ({shown['role']}) for project {project}")
    say(f"secret {shown['secret']}")


@app.command(name="list", epilog="Example: playhead apikey list --project shop")
def list_(
    project: Annotated[str | None, typer.Option(help="Only keys of this project.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """API keys, without their secrets."""
    rows = run(_list(project, config))
    if as_json:
        show_json(rows)
        return
    columns = ("id", "project", "role", "created", "revoked")
    cells = [(r["id"], r["project"], r["role"], when(r["created_ms"]), when(r["revoked_ms"])) for r in rows]
    show_table(columns, cells)


@app.command(epilog="Example: playhead apikey revoke 9f3c1a20b4e5d677")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """End a key, for all processes at once."""
    run(_revoke(key_id, config))
    say(f"key {key_id} revoked")


async def _create(project_key: str, role: Role, config: Config) -> dict[str, Any]:
    async with services_of(config) as services:
        project = await services.projects.by_key(project_key, inactive=True)
        key, secret = await services.api_keys.create(project.project_id, role.value)
        return {"id": key.api_key_id, "project": project_key, "role": key.role, "secret": secret}


async def _list(project_key: str | None, config: Config) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with services_of(config) as services:
        for project in await services.projects.list():
            if project_key in (None, project.project_key):
                for key in await services.api_keys.list(project.project_id):
                    values = asdict(key)
                    shown = {name: values[name] for name in ("role", "created_ms", "revoked_ms")}
                    rows.append({"id": key.api_key_id, "project": project.project_key, **shown})
    return rows


async def _revoke(key_id: str, config: Config) -> None:
    async with services_of(config) as services:
        await services.api_keys.revoke(key_id)
