"""serve, demo, http, work, migrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playhead.cli.terminal import Config, complain, run, say, settings_from
from playhead.errors import BadSettings, PlayheadError

if TYPE_CHECKING:
    from playhead.settings import Settings
    from playhead.supervisor import Running

Host = Annotated[str | None, typer.Option(help="Address to listen on (PLAYHEAD_HOST).", show_default=False)]
Port = Annotated[int | None, typer.Option(help="Port to listen on (PLAYHEAD_PORT).", show_default=False)]
DataDir = Annotated[
    Path | None, typer.Option(help="Where data is kept (PLAYHEAD_DATA_DIR).", show_default=False)
]

DEMO_QUIET_S = 20.0  # a demonstration need not wait 150 s for a session's end


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: playhead serve --data-dir /var/lib/playhead")(serve)
    app.command(epilog="Example: playhead demo --port 8090")(demo)
    app.command(epilog="Example: PLAYHEAD_DATABASE_URL=postgresql://db/playhead playhead http")(http)
    app.command(epilog="Example: PLAYHEAD_DATABASE_URL=postgresql://db/playhead playhead work")(work)
    app.command(epilog="Example: playhead migrate --config /etc/playhead.toml")(migrate)


def serve(config: Config = None, host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run everything: HTTP, workers and, without PLAYHEAD_DATABASE_URL, an embedded Postgres.

    Stops in good order on Ctrl-C or SIGTERM.
    """
    from playhead import supervisor

    settings = settings_from(config, host=host, port=port, data_dir=data_dir)
    run(supervisor.serve(settings, _announce))


def demo(config: Config = None, host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run everything, with a demo project that holds a few recorded sessions."""
    from playhead import supervisor

    settings = demo_settings(settings_from(config, host=host, port=port, data_dir=data_dir))
    run(supervisor.serve(settings, _announce_demo))


def demo_settings(settings: Settings) -> Settings:
    """Sessions end sooner, unless the user said when."""
    if "session_quiet_s" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"session_quiet_s": DEMO_QUIET_S})


def http(config: Config = None, host: Host = None, port: Port = None) -> None:
    """Run the HTTP side alone, for a fleet. Needs PLAYHEAD_DATABASE_URL."""
    from playhead import processes, supervisor

    settings = _fleet(settings_from(config, host=host, port=port), "http")
    if settings.http_processes > 1:
        run(supervisor.supervise_http(settings))
        return
    processes.begin(settings, "http")
    try:
        processes.run_http(settings, ())
    except OSError as problem:
        where = f"{settings.host}:{settings.port}"
        raise BadSettings([f"PLAYHEAD_PORT: cannot listen on {where}: {problem.strerror}"]) from problem


def work(config: Config = None) -> None:
    """Run the workers alone, for a fleet. Needs PLAYHEAD_DATABASE_URL."""
    from playhead import processes, supervisor

    settings = _fleet(settings_from(config), "work")
    if settings.worker_processes > 1:
        run(supervisor.supervise_work(settings))
        return
    processes.begin(settings, "work")
    processes.run_work(settings)


def migrate(config: Config = None) -> None:
    """Bring the database to the newest schema; safe from many machines at once."""
    from playhead.database import with_database
    from storage.migrate import migrate as apply

    async def main() -> list[str]:
        async with with_database(settings_from(config)) as settings:
            return await apply(settings.database_url)

    applied = run(main())
    say(f"applied: {', '.join(applied)}" if applied else "the schema is up to date")


def _fleet(settings: Settings, command: str) -> Settings:
    """Raises BadSettings without a database to share."""
    if not settings.database_url:
        raise BadSettings(
            [f"PLAYHEAD_DATABASE_URL: needed by `playhead {command}`; `playhead serve` runs its own"]
        )
    return settings


async def _sign_in_link(running: Running) -> str:
    """A link for whoever started this; empty, with a complaint, if the database does not answer."""
    from playhead.sign_in_links import PRINTED_TTL_MS, make

    try:
        link = await make(running.settings, running.secrets, running.url, ttl_ms=PRINTED_TTL_MS)
    except PlayheadError as problem:
        complain(f"no sign-in link: {problem}")
        return ""
    return link.url


async def _announce(running: Running) -> None:
    from playhead.secrets import ADMIN_KEY, secret_path, shown_before
    from playhead.supervisor import answers

    if not await answers(running.url):
        complain(f"no answer from {running.url} yet; see the lines above")
    link = await _sign_in_link(running)
    lines = ["", f"  Player         {running.url}/"]
    if link:
        lines.append(f"  Sign in        {link}      (once, within a day; `playhead sign-in` makes another)")
    lines.append(f"  Ingest         {running.url}/ingest      (serverURL of the SDKs)")
    lines.append(f"  API            {running.url}/docs")
    if not shown_before(running.settings):
        kept = secret_path(running.settings.data_dir, ADMIN_KEY)
        lines.append(f"  Admin key      {running.secrets.admin_key}")
        lines.append(f"                 shown this once; kept in {kept}")
    lines.append(f"  Data           {running.settings.data_dir.resolve()}")
    say("\n".join([*lines, ""]))  # at once: whoever reads along sees all of it, and no log line in between


async def _announce_demo(running: Running) -> None:
    from playhead.children import Role

    await _announce(running)
    say(f"  Demo project   key `demo`; admin key {running.secrets.admin_key}")
    say()
    role = Role("demo-data", ("demo-data",))
    status = await running.children.once(role)
    if status and not running.stop.is_set():
        complain(f"the demo sessions could not be made (exit status {status})")
