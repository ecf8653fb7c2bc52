"""`playhead`: all commands, and how their errors end. Exit status 0, 1 (failed), 2 (usage, settings)."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from playhead.cli import (
    api_keys,
    dead_letters,
    doctor,
    erasures,
    projects,
    replays,
    running,
    sign_in,
    simulate,
)
from playhead.cli.terminal import complain
from playhead.errors import BadSettings, PlayheadError, Refused, ValidationFailed

app = typer.Typer(
    name="playhead",
    help="Session replay for mobile apps, hosted by yourself.",
    epilog="Example: playhead demo, then open http://127.0.0.1:8080",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
running.register(app)
sign_in.register(app)
simulate.register(app)
doctor.register(app)
app.add_typer(projects.app, name="project")
app.add_typer(api_keys.app, name="apikey")
app.add_typer(replays.app, name="replay")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(erasures.app, name="erasures")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit."""
    try:
        app(args=arguments, prog_name="playhead")
    except BadSettings as problem:
        for fault in problem.faults:
            complain(fault)
        sys.exit(2)
    except PlayheadError as problem:
        complain(str(problem))
        if isinstance(problem, Refused):
            for detail in problem.details:
                complain(f"  {detail.field}: {detail.message}")
        sys.exit(2 if isinstance(problem, ValidationFailed) else 1)  # 2: what was typed breaks a rule
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        sys.exit(1)
    sys.exit(0)
