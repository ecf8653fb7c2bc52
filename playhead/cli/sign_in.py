"""sign-in."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from playhead.cli.api_keys import Role
from playhead.cli.terminal import AsJson, Config, run, say, settings_from, show_json, when

if TYPE_CHECKING:
    from playhead.sign_in_links import Link


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: playhead sign-in --project shop")(sign_in)


def sign_in(
    project: Annotated[
        str | None, typer.Option(help="Only for this project; for everything if not given.")
    ] = None,
    role: Annotated[
        Role | None, typer.Option(help="In that project: read (as if not given), or write too.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The player's address, if it is not the configured one.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print a link that signs one browser in to the player, once. Needs only the database and the settings."""
    if role is not None and project is None:
        raise typer.BadParameter("--role needs --project")
    link = run(_make(project, role, url, config))
    if as_json:
        show_json(asdict(link))
        return
    say(link.url)
    say(f"good once, until {when(link.ends_ms)}")


async def _make(project: str | None, role: Role | None, url: str | None, config: Config) -> Link:
    from playhead.database import with_database
    from playhead.secrets import open_secrets
    from playhead.sign_in_links import address_of, make

    async with with_database(settings_from(config)) as settings:
        return await make(
            settings,
            open_secrets(settings),
            url or address_of(settings),
            project=project,
            role=(role or Role.READ).value,
            ttl_ms=settings.sign_in_link_ttl_s * 1000,
        )
