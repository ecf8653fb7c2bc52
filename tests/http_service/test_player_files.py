"""Files of the player: addresses that name their state, modules named ahead, compression, revalidation."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from http_service.player_files import PlayerFiles, modules_of
from http_service.routes.player import ROOT
from tests.http_service.conftest import Site

PAGE = '<head><link href="/player/style.css" /></head><script type="module" src="/player/app.js"></script>'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "index.html": PAGE,
        "style.css": "a { color: red }\n" * 50,
        "app.js": 'import { a } from "./parts/a.js";\nconst page = () => import("./pages/one.js");\n',
        "parts/a.js": '/** @import { T } from "./types.js" */\nexport {\n  b,\n} from "./b.js";\n',
        "parts/b.js": 'import"../app.js";',
        "parts/types.js": "export {};",
        "pages/one.js": 'import{a}from"../parts/a.js";',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_modules_are_found_through_their_imports_but_not_through_comments_and_later_imports(root):
    assert modules_of(root, "app.js") == ["app.js", "parts/a.js", "parts/b.js"]
    assert modules_of(root, "pages/one.js", "gone.js")[0] == "pages/one.js"


def test_a_page_names_its_modules_under_the_state_of_all_files(root):
    page = PlayerFiles(root).page("pages/one.js")
    assert page is not None
    text = page.content.decode()
    states = set(re.findall(r"/player/@([0-9a-f]+)/", text))
    assert len(states) == 1
    assert re.findall(r'modulepreload" href="/player/@[0-9a-f]+/([^"]+)"', text) == [
        "app.js",
        "pages/one.js",
        "parts/a.js",
        "parts/b.js",
    ]
    assert '"/player/' not in re.sub(r'"/player/@[0-9a-f]+/', "", text)


def test_an_address_holds_for_ever_only_as_long_as_no_file_changed(root):
    files = PlayerFiles(root)
    first = files.page("pages/one.js")
    assert first is not None
    state = re.findall(r"@([0-9a-f]+)", first.content.decode())[0]
    kept = files.file(f"@{state}/app.js")
    assert kept is not None and kept.forever
    plain = files.file("app.js")
    assert plain is not None and not plain.forever and plain.content == kept.content
    (root / "style.css").write_text("a { color: blue }")
    os.utime(root / "style.css", ns=(1, 1))
    second = files.page("pages/one.js")
    assert second is not None and second.etag != first.etag
    old = files.file(f"@{state}/app.js")
    assert old is not None and not old.forever
    assert PlayerFiles(root).file(f"@{state}/app.js") == old


def test_a_page_names_what_its_script_reads_first_before_everything(root):
    page = PlayerFiles(root).page("pages/one.js", '/api/"<x>')
    assert page is not None
    named = re.findall(r'<link rel="(\w+)"[^>]* href="([^"]*)"', page.content.decode())
    assert named[0] == ("preload", "/api/&quot;&lt;x&gt;")


def test_without_a_page_there_is_no_player(tmp_path):
    assert PlayerFiles(tmp_path).page("pages/one.js") is None


def styles() -> bytes:
    """The page's style sheets, in its order."""
    names = re.findall(r'rel="stylesheet" href="/player/([^"]+)"', (ROOT / "index.html").read_text())
    assert len(names) > 5
    return b"\n".join((ROOT / name).read_bytes() for name in names)


async def test_style_sheets_come_as_one_file(site: Site) -> None:
    page = await site.client.get("/")
    (address,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    assert page.text.index(address) < page.text.index("/app.js"), "a page is styled before it is drawn"
    assert re.fullmatch(r"/player/@[0-9a-f]+/all\.css", address)
    for other in ("/player/@0123456789abcdef/all.css", "/player/all.css"):
        got = await site.client.get(other)  # asked of a server of another version
        assert (got.content, got.headers["cache-control"]) == (styles(), "no-cache")


async def test_browsers_keep_what_a_page_names(site: Site) -> None:
    page = await site.client.get("/replays/3645366763814944769")
    assert page.headers["cache-control"] == "no-cache"
    assert 'href="/api/v1/replays/3645366763814944769/timeline"' in page.text
    for path in ("/", "/replays/x", "/replays/" + "1" * 30):
        assert "/api/" not in (await site.client.get(path)).text
    named = re.findall(r'"(/player/@[^"]+)"', page.text)
    assert len(named) > 10
    for address in named:
        got = await site.client.get(address, headers={"accept-encoding": "gzip"})
        assert (got.status_code, got.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        packed = got.headers.get("content-encoding") == "gzip"
        name = address.split("/", 3)[3]
        assert got.content == (styles() if name == "all.css" else (ROOT / name).read_bytes())
        assert packed or len(got.content) <= len(gzip.compress(got.content))
    plain = await site.client.get(named[0], headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    unnamed = await site.client.get("/player/app.js")
    assert unnamed.headers["cache-control"] == "no-cache"
    again = await site.client.get("/player/app.js", headers={"if-none-match": unnamed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
