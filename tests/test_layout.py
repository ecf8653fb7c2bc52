"""The shape of the code: imports point down, names shadow nothing, files stay small."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: each room may import the rooms named; the ground is open to all
MAY_IMPORT: dict[str, set[str]] = {
    "messages": set(),
    "cache": set(),
    "storage": set(),
    "projects": {"cache", "storage"},
    "events": {"projects", "cache", "storage"},
    "sessions": {"projects", "messages", "cache", "storage"},
    "ingest": {"events", "sessions", "projects", "messages", "storage"},
    "client": {"messages"},
    "player": set(),
}
BELOW = {"ingest", "sessions", "events", "projects", "messages", "storage", "cache"}
MAY_IMPORT["workers"] = MAY_IMPORT["http_service"] = BELOW
GROUND = {"playhead.errors", "playhead.memory_limit", "playhead.settings", "playhead.telemetry"}
ROOMS = {*MAY_IMPORT, "playhead"}
MAX_LINES = 500
FORBIDDEN_NAMES = {"utils", "common", "helpers", "misc", "base"}


def files() -> Iterator[tuple[str, Path]]:
    for room in sorted(ROOMS):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield room, path


def imports(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, module, whether for types only) of every import."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            typing_only.update(child.lineno for child in ast.walk(node) if isinstance(child, ast.ImportFrom))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name, False
        elif isinstance(node, ast.ImportFrom) and node.module == "playhead":
            for name in node.names:
                yield node.lineno, f"playhead.{name.name}", node.lineno in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module, node.lineno in typing_only


def test_imports_point_down() -> None:
    wrong = []
    for room, path in files():
        for line, module, typing_only in imports(path):
            target = module.split(".")[0]
            if target not in ROOMS or target == room or room == "playhead" or typing_only:
                continue
            if target == "playhead":
                if ".".join(module.split(".")[:2]) not in GROUND:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
            elif target not in MAY_IMPORT[room]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_the_ground_stands_on_nothing_of_ours() -> None:
    for name in GROUND:
        path = ROOT / f"{name.replace('.', '/')}.py"
        ours = [m for _, m, _ in imports(path) if m.split(".")[0] in ROOMS and m not in GROUND]
        assert not ours, f"{name} imports {ours}"


def test_no_module_shadows_the_standard_library_or_names_nothing() -> None:
    standard = sys.stdlib_module_names
    wrong = [
        str(path.relative_to(ROOT))
        for room, path in files()
        if path.stem not in ("__init__", "__main__")
        and (path.stem in FORBIDDEN_NAMES or (path.stem in standard and path.stem not in ALLOWED))
    ]
    assert not wrong, wrong


#: inside a package these cannot be mistaken: nobody imports them bare
ALLOWED = {"secrets"}


def test_files_stay_readable_at_one_sitting() -> None:
    ours = [path for _, path in files() if not path.name.endswith("_pb2.py")]
    for kind in ("*.js", "*.css"):
        ours += [path for path in (ROOT / "player").rglob(kind) if "vendor" not in path.parts]
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in ours
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_LINES
    ]
    assert not long, long


def test_every_face_says_what_it_is() -> None:
    for room in sorted(ROOMS - {"player"}):
        tree = ast.parse((ROOT / room / "__init__.py").read_text("utf-8"))
        assert ast.get_docstring(tree), room


#: they start servers, which need an environment of their own
STARTS_SERVERS = {"storage/embedded_postgres.py", "storage/postgres_cluster.py"}


def test_only_the_settings_read_the_environment() -> None:
    wrong = [
        name
        for room, path in files()
        if room != "playhead" and (name := str(path.relative_to(ROOT))) not in STARTS_SERVERS
        if "os.environ" in (text := path.read_text("utf-8")) or "getenv" in text
    ]
    assert not wrong, wrong
