"""docs/reference/settings.md, from playhead/settings.py."""

from __future__ import annotations

import inspect
from pathlib import Path

from pydantic.fields import FieldInfo

from playhead import settings
from tools.markdown import table

HEAD = """\
# Settings

Rendered from `playhead/settings.py` by `make docs`; do not edit.

Environment variables, or the same names in lower case without the prefix in a TOML file given by `--config`
or `PLAYHEAD_CONFIG`; the environment wins. Units stand in the names: `_s` seconds, `_ms` milliseconds,
`_bytes` bytes. Unknown names and bad values stop the start with all faults listed. S3 credentials are the
standard `AWS_*` variables.
"""


def render_settings() -> str:
    """The whole page, in the groups of the source."""
    parts = [HEAD]
    for title, names in _groups():
        rows = [_row(name, settings.Settings.model_fields[name]) for name in names]
        parts.append(f"\n## {title.capitalize()}\n\n" + table(["Variable", "Default", "Meaning"], rows))
    return "".join(parts)


def _groups() -> list[tuple[str, list[str]]]:
    """Titles (`# -- title` in the source) and the settings under each."""
    groups: list[tuple[str, list[str]]] = []
    for line in inspect.getsource(settings.Settings).splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            groups.append((text[5:], []))
        elif (name := text.partition(":")[0]) in settings.Settings.model_fields and groups:
            groups[-1][1].append(name)
    return groups


def _row(name: str, field: FieldInfo) -> list[str]:
    default = field.default
    if isinstance(default, (str, Path)) and not str(default):
        shown = "empty"
    else:
        shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
    return [f"`{settings.PREFIX}{name.upper()}`", shown, field.description or ""]
