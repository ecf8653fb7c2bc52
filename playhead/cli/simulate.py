"""simulate."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from client.devices import Platform
from playhead.cli.terminal import AsJson, complain, run, say, show_json

if TYPE_CHECKING:
    from client.report import Report
    from client.simulation import Plan, Simulation

PLAIN_EVERY_S = 5.0
POLL_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    epilog = (
        "Example: playhead simulate --url http://127.0.0.1:8080 --project shop --sessions 10 --speedup 60"
    )
    app.command(epilog=epilog)(simulate)


def simulate(
    url: Annotated[str, typer.Option(help="The server, as in the SDK's serverURL.")],
    project: Annotated[str, typer.Option(help="Project key.")],
    sessions: Annotated[int, typer.Option(min=1, help="How many.")] = 5,
    platform: Annotated[
        Platform | None, typer.Option(help="ios or android; both in turn if not given.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of a session, about.")] = 3.0,
    speedup: Annotated[
        float,
        typer.Option(help="How much faster than life, 0: as fast as it goes. The server notes real time."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same sessions.")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=10_000, help="Phones at a time.")] = 8,
    screenshots: Annotated[
        bool, typer.Option("--screenshots/--no-screenshots", help="Take pictures.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Act as phones with the SDKs would: sessions with screens, touches, network calls, now and then a crash."""
    from client.simulation import Plan

    if speedup < 0:
        raise typer.BadParameter("must be 0 or more", param_hint="--speedup")
    plan = Plan(
        project_key=project,
        sessions=sessions,
        platform=platform,
        minutes=minutes,
        speedup=speedup or math.inf,
        seed=seed,
        concurrency=concurrency,
        screenshots=screenshots,
    )
    report = run(_play(plan, url))
    if as_json:
        show_json(report.to_json())
    else:
        _summarize(report)
    if len(report.sessions) < sessions:
        answers = ", ".join(f"{status or 'no answer'}" for status in sorted(report.refused_starts))
        complain(
            f"{sessions - len(report.sessions)} sessions were not started: {answers or 'odd answer'} at {url}"
        )
        raise typer.Exit(1)


async def _play(plan: Plan, url: str) -> Report:
    from client.simulation import Simulation
    from client.transport import HttpTransport, open_http_client
    from playhead.wiring import wall_clock

    simulation = Simulation.of(plan)
    async with open_http_client(plan.concurrency * 2) as client, _progress(simulation):
        return await simulation.run(HttpTransport(client, url), wall_clock)


@asynccontextmanager
async def _progress(simulation: Simulation) -> AsyncIterator[None]:
    """A bar on a terminal, a plain line every few seconds elsewhere; both on standard error."""
    watching = asyncio.create_task(_bar(simulation) if sys.stderr.isatty() else _lines(simulation))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _bar(simulation: Simulation) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=1.0)
        while True:
            progress.update(task, completed=simulation.played_share, description=_state(simulation))
            await asyncio.sleep(POLL_S)


async def _lines(simulation: Simulation) -> None:
    next_s = time.monotonic() + PLAIN_EVERY_S
    while True:
        await asyncio.sleep(POLL_S)
        if time.monotonic() >= next_s:
            next_s += PLAIN_EVERY_S
            print(f"{simulation.played_share:.0%} {_state(simulation)}", file=sys.stderr, flush=True)


def _state(simulation: Simulation) -> str:
    return f"{simulation.launches_done} of {simulation.plan.sessions} sessions"


def _summarize(report: Report) -> None:
    numbers = report.to_json()
    for session in numbers["sessions"]:
        crashed = ", crashed" if session["crashed"] else ""
        say(
            f"{session['session_id']}  {session['platform']:<7}  {session['messages']} messages, "
            f"{session['pictures']} pictures, {session['requests']} requests{crashed}"
        )
    say(
        f"{len(numbers['sessions'])} sessions, {numbers['messages']} messages, {numbers['pictures']} pictures, "
        f"{numbers['failed_requests']} of {numbers['requests']} requests failed, "
        f"{numbers['lost_messages']} messages lost on the phones"
    )
