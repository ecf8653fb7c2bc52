"""Copies the player's libraries out of their npm packages, file by file; `--check` exits 1 when a copy differs.

The player runs from these copies: no build step, no other host. `package.json` names the versions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENDOR: Final = "player/vendor"

_LIT_MODULES: Final = (
    "lit-html",
    "directive",
    "directive-helpers",
    "async-directive",
    *(
        f"directives/{name}"
        for name in (
            "cache",
            "choose",
            "class-map",
            "guard",
            "if-defined",
            "join",
            "keyed",
            "live",
            "map",
            "private-async-helpers",
            "range",
            "ref",
            "repeat",
            "until",
            "when",
        )
    ),
)

#: folder under player/vendor -> path there -> path in the npm package of the folder's name
FILES: Final[dict[str, dict[str, str]]] = {
    "lit-html": {
        "LICENSE": "LICENSE",
        **{
            f"{module}{suffix}": f"{module}{suffix}" for module in _LIT_MODULES for suffix in (".js", ".d.ts")
        },
    },
    "uplot": {
        "LICENSE": "LICENSE",
        "uPlot.js": "dist/uPlot.esm.js",
        "uPlot.d.ts": "dist/uPlot.d.ts",
        "uPlot.css": "dist/uPlot.min.css",
    },
}


def faults(root: Path = ROOT) -> list[str]:
    """What differs between player/vendor, the installed npm packages and the table in its README."""
    found = []
    table = (root / VENDOR / "README.md").read_text("utf-8")
    for library, files in FILES.items():
        folder, package = root / VENDOR / library, root / "node_modules" / library
        version = json.loads((package / "package.json").read_text("utf-8"))["version"]
        if f"| {library} | {version} |" not in table:
            found.append(f"{VENDOR}/README.md does not say {library} {version}")
        for copy, original in files.items():
            if _bytes(folder / copy) != _bytes(package / original):
                found.append(f"{VENDOR}/{library}/{copy} differs from {original} of {library} {version}")
        found += [
            f"{VENDOR}/{library}/{name} is not of the package"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and (name := path.relative_to(folder).as_posix()) not in files
        ]
    return found


def copy_all(root: Path = ROOT) -> None:
    """Writes every copy anew from node_modules."""
    for library, files in FILES.items():
        for copy, original in files.items():
            target = root / VENDOR / library / copy
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((root / "node_modules" / library / original).read_bytes())


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Exit status: 1 when something differs (after copying: only what copying cannot mend)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args(arguments).check:
        copy_all(root)
    wrong = faults(root)
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
