"""docs/reference/commands.md, from playhead/cli."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from playhead.cli.app import app
from tools.markdown import table

HEAD = """\
# Commands

Rendered from `playhead/cli` by `make docs`; do not edit.

Exit status: 0, 1 (failed), 2 (usage or settings). Tables are tab-separated lines when the output is no terminal;
`--json` prints JSON. `--config FILE` names a TOML file with settings, see [settings](settings.md).
"""
EVERYWHERE = {"help", "config", "as_json"}


def render_commands() -> str:
    """The whole page: every command that is not hidden, in the order of `--help`."""
    return HEAD + "".join(_described(words, command) for words, command in _commands("playhead", _root()))


def _root() -> Any:
    return typer.main.get_command(app)


def _commands(words: str, command: Any) -> list[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        return [(words, command)]
    found = []
    for name, each in subcommands.items():
        if not each.hidden:
            found += _commands(f"{words} {name}", each)
    return found


def _described(words: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([words, *(_metavar(each) for each in arguments)])
    text = f"\n## {usage}\n\n{inspect.cleandoc(command.help or '')}\n"
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and not each.hidden and each.name not in EVERYWHERE
    ]
    if options:
        rows = [
            ["/".join(f"`{name}`" for name in [*each.opts, *each.secondary_opts]), _meaning(each)]
            for each in options
        ]
        text += "\n" + table(["Option", "Meaning"], rows)
    return text + f"\n{command.epilog.replace('Example: ', 'Example: `', 1)}`\n"


def _meaning(option: Any) -> str:
    notes = []
    if option.required:
        notes.append("required")
    elif option.default not in (None, False, "") and not callable(option.default):
        notes.append(f"default {option.default}")
    return (option.help or "") + (f" ({', '.join(notes)})" if notes else "")


def _metavar(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.nargs == 1 or name.endswith("...") else f"{name}..."
