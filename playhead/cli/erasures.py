"""erasures list, check."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from playhead.cli.terminal import AsJson, Config, complain, run, say, services_of, show_json, show_table, when

app = typer.Typer(
    help="What was erased, and proof that it is gone.", no_args_is_help=True, rich_markup_mode=None
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


@app.command(epilog="Example: playhead erasures check")
def check(config: Config = None) -> None:
    """Look through database, objects and journal for anything of erased sessions; exit status 1 if there is some."""
    count, left = run(_check(config))
    for session_id, stores in left.items():
        complain(f"{session_id}: {', '.join(f'{number} in {store}' for store, number in stores.items())}")
    if left:
        raise typer.Exit(1)
    say(f"nothing is left of {count} erased sessions")


async def _list(limit: int, config: Config) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from sessions import erasure

    async with services_of(config) as services:
        found = await erasure.page(services.db, project_ids=None, before=None, limit=limit)
        return [{**asdict(each), "session_id": str(each.session_id)} for each in found]


async def _check(config: Config) -> tuple[int, dict[str, dict[str, int]]]:
    from sessions import erasure
    from storage import journal_clearing

    async with services_of(config) as services:
        count, left, before = 0, {}, None
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
                    left[str(session_id)] = stores
        return count, left
