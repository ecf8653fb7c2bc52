"""doctor."""

from __future__ import annotations

import typer

from playhead.cli.terminal import AsJson, Config, run, say, settings_from, show_json
from playhead.errors import BadSettings
from playhead.settings import Settings

MARKS = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: playhead doctor --config /etc/playhead.toml")(doctor)


def doctor(as_json: AsJson = False, config: Config = None) -> None:
    """Check every setting and every service that is reached; exit status 1 if something is wrong."""
    try:
        settings = settings_from(config)
    except BadSettings as problem:
        if as_json:
            faults = [
                {"name": "settings", "state": "fail", "detail": each, "mend": ""} for each in problem.faults
            ]
            show_json({"healthy": False, "findings": faults})
        raise
    if not run(_examine(settings, as_json)):
        raise typer.Exit(1)


async def _examine(settings: Settings, as_json: bool) -> bool:
    """Print all findings -> whether all is well."""
    from playhead.doctor import State, examine, report

    findings = []
    if not as_json:
        say(f"{MARKS['ok']}  settings: {len(settings.model_fields_set)} set, the others at their defaults")
    async for finding in examine(settings):
        findings.append(finding)
        if not as_json:
            say(f"{MARKS[finding.state]}  {finding.name}: {finding.detail}")
            if finding.mend:
                say(f"      -> {finding.mend}")
    if as_json:
        show_json(report(findings))
    return all(finding.state is not State.FAIL for finding in findings)
