"""Modules of the player joined into one file, so that a browser asks once for what a page is made of.

The player's files stay single modules: tests and type checks read them, and so does a browser that asks for one of
them. What pages name is the joined form of an *entry*: each module a function in a table, run when it is first
imported, once. An entry may stand on another one (the panels on the app): it takes what the other holds from its
table, so every module exists once.

Of the language's module syntax the player uses a part, and only this part is joined: static imports from relative
addresses, `import("…")` of a literal, declarations and lists after `export`, at the start of a line or, in what is
vendored, behind a statement. No cycles, no exported `let`, no `await` outside of functions.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

#: entry -> the entry that a page has loaded before it, and whose modules it shares
ENTRIES: Final[Mapping[str, str | None]] = {
    "start.js": None,
    "app.js": None,
    "panels/index.js": "app.js",
    "frame_worker.js": None,
}
_DOC: Final = re.compile(r"^[ \t]*/\*[^*]*\*+(?:[^/*][^*]*\*+)*/[ \t]*\n", re.MULTILINE)
_STATEMENT: Final = r"(?:^|(?<=[;}]))"
_IMPORT: Final = re.compile(
    _STATEMENT + r"""import\s*(?:(?P<names>[\w$\s{},*]+?)\s*from\s*)?["'](?P<path>\.[^"']+)["'];?""",
    re.MULTILINE,
)
_LATER: Final = re.compile(r"""\bimport\(\s*["'](?P<path>\.[^"']+)["']\s*\)""")
_LIST: Final = re.compile(
    _STATEMENT + r"""export\s*\{(?P<names>[^}]*)\}(?:\s*from\s*["'](?P<path>\.[^"']+)["'])?;?""", re.MULTILINE
)
_DECLARED: Final = re.compile(
    r"^export\s+(?=(?:(?:async\s+)?function\b\s*\*?|class\b|const\b)\s*(?P<name>[\w$]+))", re.MULTILINE
)
_RENAMED: Final = re.compile(r"\s+as\s+")
_TABLE: Final = """\
export const modules = {{
{modules}
}};
const made = new Map();
export function take(path) {{
  if (!made.has(path)) made.set(path, modules[path]());
  return made.get(path);
}}
"""


def joined(root: Path, entry: str) -> str:
    """The one file of an entry. Raises OSError for a missing module, ValueError for a cycle."""
    below = ENTRIES[entry]
    shared = modules_of(root, below) if below else {}
    modules = modules_of(root, entry)
    exports = {path: dict(_exports(text, path)) for path, text in modules.items()}
    table = ",\n".join(
        f"{json.dumps(path)}() {{\n{_body(text, path, entry)}\nreturn {{ {_pairs(exports[path])} }};\n}}"
        for path, text in modules.items()
        if path not in shared
    )
    if below is None:
        return _TABLE.format(modules=table) + f"take({json.dumps(entry)});\n"
    return (
        f"import {{ modules, take }} from {json.dumps(_relative(below, entry))};\n"
        f"Object.assign(modules, {{\n{table}\n}});\n"
        f"export const {{ {', '.join(exports[entry])} }} = take({json.dumps(entry)});\n"
    )


def modules_of(root: Path, entry: str) -> dict[str, str]:
    """An entry and all that it imports, at once or later, up to other entries: path below `root` -> text, each after
    those that it imports at once; without the comments that stand before declarations, but with notices of licences.
    """
    found: dict[str, str] = {}

    def visit(path: str, above: tuple[str, ...]) -> None:
        if path in above:
            raise ValueError(f"modules import one another: {' -> '.join((*above, path))}")
        if path in found:
            return
        text = _DOC.sub(_notice, (root / path).read_text())
        for each in [*_IMPORT.finditer(text), *_LIST.finditer(text)]:
            if each["path"]:
                visit(_resolved(path, each["path"]), (*above, path))
        found[path] = text
        for later in _LATER.finditer(text):
            if (target := _resolved(path, later["path"])) not in ENTRIES:
                visit(target, ())

    visit(entry, ())
    return found


def _notice(comment: re.Match[str]) -> str:
    return comment[0] if "@license" in comment[0] or "Copyright" in comment[0] else ""


def _body(text: str, path: str, entry: str) -> str:
    """What a module does, as statements of a function."""
    text = _IMPORT.sub(lambda found: _taken(found, path), text)
    text = _LATER.sub(lambda found: _taken_later(found, path, entry), text)
    text = _DECLARED.sub("", _LIST.sub("", text))
    here = f"new URL({json.dumps(_relative(path, entry))}, import.meta.url).href"
    return text.replace("import.meta.url", here)


def _pairs(exports: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in exports.items())


def _exports(text: str, path: str) -> Iterator[tuple[str, str]]:
    """(name, its value inside of the module) of all that a module exports."""
    for found in _DECLARED.finditer(text):
        yield found["name"], found["name"]
    for found in _LIST.finditer(text):
        for each in filter(None, map(str.strip, found["names"].split(","))):
            own, _, name = (part.strip() for part in each.partition(" as "))
            source = f"take({json.dumps(_resolved(path, found['path']))})." if found["path"] else ""
            yield name or own, source + own


def _taken(found: re.Match[str], path: str) -> str:
    """An import as a statement on the table."""
    taken = f"take({json.dumps(_resolved(path, found['path']))});"
    names = found["names"]
    if names is None:
        return taken
    if names.startswith("*"):
        return f"const {names.partition(' as ')[2].strip()} = {taken}"
    if not names.startswith("{"):
        names = f"{{ default as {names.strip()} }}"
    return f"const {_RENAMED.sub(': ', names)} = {taken}"


def _taken_later(found: re.Match[str], path: str, entry: str) -> str:
    target = _resolved(path, found["path"])
    if target in ENTRIES:
        return f"import({json.dumps(_relative(target, entry))})"
    return f"Promise.resolve().then(() => take({json.dumps(target)}))"


def _resolved(path: str, address: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), address))


def _relative(path: str, entry: str) -> str:
    """The address of a module as the file of `entry` names it."""
    return "./" + posixpath.relpath(path, posixpath.dirname(entry) or ".")
