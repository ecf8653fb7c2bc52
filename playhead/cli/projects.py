"""project create, list, set."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from playhead.cli.terminal import AsJson, Config, run, say, services_of, show_json, show_table

app = typer.Typer(
    help="Who may send.",
    epilog="Example: playhead project create Shop --key shop",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(epilog="Example: playhead project create Shop --key shop --platform ios --sample-rate 25")
def create(
    name: str,
    key: Annotated[str | None, typer.Option(help="What the SDKs send; made up if not given.")] = None,
    platform: Annotated[str | None, typer.Option(help="ios, android or all.")] = None,
    sample_rate: Annotated[int | None, typer.Option(min=0, max=100, help="% of users recorded.")] = None,
    retention_days: Annotated[int | None, typer.Option(min=1, help="How long sessions are kept.")] = None,
    frame_retention_days: Annotated[
        int | None, typer.Option(min=0, help="How long their pictures are kept; 0: as long as they are.")
    ] = None,
    max_session_duration_ms: Annotated[
        int | None, typer.Option(min=1000, help="Life of a session's token.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Make a project."""
    given = {
        "name": name,
        "key": key,
        "platform": platform,
        "sample_rate": sample_rate,
        "retention_days": retention_days,
        "frame_retention_days": frame_retention_days,
        "max_session_duration_ms": max_session_duration_ms,
    }
    shown = run(_create({field: value for field, value in given.items() if value is not None}, config))
    if as_json:
        show_json(shown)
    else:
        say(f"project {shown['name']}: key {shown['key']}")


@app.command(name="list", epilog="Example: playhead project list --json")
def list_(as_json: AsJson = False, config: Config = None) -> None:
    """All projects."""
    rows = run(_list(config))
    if as_json:
        show_json(rows)
        return
    columns = ("key", "name", "platform", "active", "sample_rate", "retention_days")
    show_table(columns, [[row[column] for column in columns] for row in rows])


@app.command(
    name="set", epilog="Example: playhead project set shop sample_rate=50 hamustro.signature=optional"
)
def set_(
    key: str,
    changes: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE...", help="Lists and objects as JSON.")
    ],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Change a project, for all processes at once."""
    shown = run(_set(key, fields_of(changes), config))
    if as_json:
        show_json(shown)
    else:
        say(f"project {shown['key']} changed")


def fields_of(changes: list[str]) -> dict[str, Any]:
    """`["a.b=1", "c=[2]"]` -> `{"a": {"b": "1"}, "c": [2]}`. Raises typer.BadParameter."""
    found: dict[str, Any] = {}
    for change in changes:
        path, equals, text = change.partition("=")
        if not equals or not path:
            raise typer.BadParameter(f"{change!r} is not FIELD=VALUE")
        *groups, last = path.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise typer.BadParameter(f"{path!r} contradicts another field")
        place[last] = _value(path, text)
    return found


def _value(path: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise typer.BadParameter(f"{path}: {problem}") from None


async def _create(values: dict[str, Any], config: Config) -> dict[str, Any]:
    from projects import parse_create, view

    wanted = parse_create(values)
    async with services_of(config) as services:
        return view(await services.projects.create(wanted), secrets=True).model_dump(mode="json")


async def _list(config: Config) -> list[dict[str, Any]]:
    from projects import view

    async with services_of(config) as services:
        return [view(each, secrets=True).model_dump(mode="json") for each in await services.projects.list()]


async def _set(key: str, values: dict[str, Any], config: Config) -> dict[str, Any]:
    from projects import parse_changes, view

    changes = parse_changes(values, strict=False)
    async with services_of(config) as services:
        return view(await services.projects.update(key, changes), secrets=True).model_dump(mode="json")
