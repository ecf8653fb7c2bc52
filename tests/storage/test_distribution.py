"""The schema can be distributed by project: keys begin with the project, and statements say of which they speak."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("projects", "events", "sessions", "storage", "workers", "http_service", "playhead")

#: tables that stay whole on every node or on one: found by something that is known before the project is
UNDISTRIBUTED = {
    "projects": "the list of projects itself, a reference table",
    "api_keys": "a request's key says its project",
    "sign_ins": "a browser's cookie says its project",
    "sign_in_codes": "a one-time link says its project",
    "shares": "a link to a replay says its project",
    "segments": "a part of the journal holds records of many projects",
    "dead_letters": "records of the journal that could not be processed, found by their place there",
    "doomed_objects": "names of objects to delete",
    "schema_migrations": "of the database itself",
}
#: keys that lead elsewhere than to the same project's rows
FOREIGN_KEYS = {
    "sign_ins": "between tables that stay whole",
}
#: statements over all projects; a worker's clock runs them, or whoever watches over the service, and no request does
CHORES = {
    "storage/journal_clearing.py TO_BLANK": "chore: records of the journal to blank, by segment",
    "storage/segments.py RELEASE": "chore: segments that no part points to any more",
    "storage/migrate.py _add_partition": "chore: rows of a day into its own partition",
    "workers/retention.py OLD_MARKS": "chore: marks of erased sessions after 400 days",
    "workers/retention.py OLD_USER_MARKS": "chore: marks of erased users after 400 days",
    "playhead/database_metrics.py DUE": "metric: sessions that wait to be recorded",
    "playhead/doctor.py OVERDUE": "doctor: the same",
}
#: the project comes with what is put into the text: columns, or conditions that begin with it
COMPOSED = {
    "events/search.py events_page": "conditions of Query",
    "events/session_list.py _sessions_of_user": "conditions of Query",
    "events/store.py INSERT_NEW": "COLUMNS",
    "sessions/parts.py INSERT_NEW": "COLUMNS",
}

KEYS = """
SELECT c.relname, k.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0])
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class k ON k.oid = i.indexrelid
WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
"""
KEYLESS = """
SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
"""
REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text, array(
    SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)
) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"


async def test_every_key_begins_with_the_project(postgres_dsn: str) -> None:
    conn = await asyncpg.connect(postgres_dsn)
    try:
        assert await conn.fetch(KEYLESS) == []
        others = {row[0] for row in await conn.fetch(KEYS) if row[2] != "project_id"}
    finally:
        await conn.close()
    assert others == set(UNDISTRIBUTED)


async def test_no_foreign_key_leads_to_another_project(postgres_dsn: str) -> None:
    conn = await asyncpg.connect(postgres_dsn)
    try:
        rows = await conn.fetch(REFERENCES)
    finally:
        await conn.close()
    assert len(rows) > 3
    for table, target, columns in rows:
        assert "project_id" in columns or table in FOREIGN_KEYS, (table, target, columns)
    assert {row[0] for row in rows if "project_id" not in row[2]} == set(FOREIGN_KEYS)


async def test_every_statement_names_its_project(postgres_dsn: str) -> None:
    conn = await asyncpg.connect(postgres_dsn)
    try:
        tables = {row[0] for row in await conn.fetch(TABLES)} - UNDISTRIBUTED.keys()
    finally:
        await conn.close()
    spoken = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+({'|'.join(sorted(tables))})\b")
    seen, without = 0, set()
    for name, sql in statements():
        if spoken.search(sql):
            seen += 1
            if not re.search(r"\bproject_id\b(?! AS)", sql):
                without.add(name)
    assert seen > 100
    assert without == CHORES.keys() | COMPOSED.keys()


def statements() -> Iterator[tuple[str, str]]:
    """Where a text of SQL stands, and the text; what is put into it by name is shown as `{}`."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            where = str(path.relative_to(ROOT))
            for owner in ast.walk(tree):
                for child in ast.iter_child_nodes(owner):
                    child.parent = owner  # type: ignore[attr-defined]
            for node in ast.walk(tree):
                parent = getattr(node, "parent", None)
                if isinstance(parent, ast.JoinedStr | ast.FormattedValue):
                    continue
                text = ""
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    text = node.value
                elif isinstance(node, ast.JoinedStr):
                    text = "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
                    )
                if re.search(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b", text):
                    yield f"{where} {_name(node)}", text


def _name(node: ast.AST) -> str:
    """The constant or function that a text belongs to."""
    while not isinstance(node, ast.Module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node.name
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(getattr(node, "parent", None), ast.Module):
                return ast.unparse(target)
        node = node.parent  # type: ignore[attr-defined]
    return ""
