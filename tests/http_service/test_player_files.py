"""Files of the player: addresses that name their state, modules joined under it, compression, revalidation."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest

from http_service.joined_modules import ENTRIES, joined
from http_service.player_files import PlayerFiles
from http_service.routes.player import POLICY, ROOT
from http_service.sign_in_cookie import NAME
from tests.http_service.conftest import Site

PAGE = '<head><link href="/player/style.css" /></head><script type="module" src="/player/app.js"></script>'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "index.html": PAGE,
        "style.css": "a { color: red }\n" * 50,
        "app.js": 'import { a } from "./parts/a.js";\nconst page = () => import("./pages/one.js");\n',
        "parts/a.js": '/** @import { T } from "./types.js" */\nexport {\n  b,\n} from "./b.js";\n',
        "parts/b.js": "export const b = 1;",
        "parts/types.js": "export {};",
        "pages/one.js": 'import{a}from"../parts/a.js";',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_page_names_everything_under_the_state_of_all_files(root):
    page = PlayerFiles(root).page()
    assert page is not None
    text = page.content.decode()
    states = set(re.findall(r"/player/@([0-9a-f]+)/", text))
    assert len(states) == 1
    assert '"/player/' not in re.sub(r'"/player/@[0-9a-f]+/', "", text)


def test_modules_come_joined_under_a_state_and_single_without(root):
    files = PlayerFiles(root)
    page = files.page()
    assert page is not None
    state = re.findall(r"@([0-9a-f]+)", page.content.decode())[0]
    single = (root / "app.js").read_bytes()
    for address, content in (
        (f"@{state}/app.js", joined(root, "app.js").encode()),
        ("@0123456789abcdef/app.js", joined(root, "app.js").encode()),
        (f"@{state}/pages/one.js", (root / "pages/one.js").read_bytes()),
        ("app.js", single),
    ):
        found = files.file(address)
        assert found is not None and found.content == content, address
    (root / "parts/b.js").write_text("export const b = 2;")
    assert files.page() != page
    changed = files.file(f"@{state}/app.js")
    assert changed is not None and b"b = 2" in changed.content and not changed.forever


def test_an_address_holds_for_ever_only_as_long_as_no_file_changed(root):
    files = PlayerFiles(root)
    first = files.page()
    assert first is not None
    state = re.findall(r"@([0-9a-f]+)", first.content.decode())[0]
    kept = files.file(f"@{state}/app.js")
    assert kept is not None and kept.forever
    plain = files.file("app.js")
    assert plain is not None and not plain.forever
    (root / "style.css").write_text("a { color: blue }")
    os.utime(root / "style.css", ns=(1, 1))
    second = files.page()
    assert second is not None and second.etag != first.etag
    old = files.file(f"@{state}/app.js")
    assert old is not None and not old.forever
    assert PlayerFiles(root).file(f"@{state}/app.js") == old


def test_a_page_names_what_its_script_reads_first(root):
    page = PlayerFiles(root).page(['/api/"<x>', "/api/y"])
    assert page is not None
    named = re.findall(r'<link rel="(\w+)"[^>]* href="([^"]*)"', page.content.decode())
    assert named == [("preload", "/api/&quot;&lt;x&gt;"), ("preload", "/api/y")]


def test_a_page_opens_with_a_picture_in_the_place_of_what_comes(root):
    (root / "index.html").write_text(PAGE + '<main id="main" tabindex="-1"></main>')
    (root / "still.html").write_text('<img src="{picture}" />\n')
    page = PlayerFiles(root).page(picture='/api/"<x>')
    assert page is not None
    text = page.content.decode()
    assert '<main id="main" tabindex="-1"><img src="/api/&quot;&lt;x&gt;" />\n</main>' in text
    first = re.findall(r'<link rel="preload" as="image"[^>]* href="([^"]*)"', text.partition("/player/")[0])
    assert first == ["/api/&quot;&lt;x&gt;"]


def test_without_a_page_there_is_no_player(tmp_path):
    assert PlayerFiles(tmp_path).page() is None


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
    assert "/api/" not in (await site.client.get("/replays/3645366763814944769")).text, "nobody is signed in"
    site.client.cookies.set(NAME, "somebody")
    page = await site.client.get("/replays/3645366763814944769")
    assert page.headers["cache-control"] == "no-cache"
    assert 'href="/api/v1/replays/3645366763814944769/timeline"' in page.text
    for query, moment in (
        ("", ""),
        ("?t=0070&t=8", "?t=70"),
        ("?t=-1", ""),
        ("?t=1.5", ""),
        ("?t=" + "1" * 13, ""),
    ):
        at = await site.client.get(f"/replays/3645366763814944769{query}")
        assert f'src="/api/v1/replays/3645366763814944769/opening{moment}"' in at.text, query
    for path in ("/", "/replays/x", "/replays/" + "1" * 30):
        assert "/api/v1/replays" not in (await site.client.get(path)).text
    named = re.findall(r'"(/player/@[^"]+)"', page.text)
    assert 3 < len(named) < 10
    for address in named:
        got = await site.client.get(address, headers={"accept-encoding": "gzip"})
        assert (got.status_code, got.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        packed = got.headers.get("content-encoding") == "gzip"
        name = address.split("/", 3)[3]
        whole = styles() if name == "all.css" else joined(ROOT, name).encode() if name in ENTRIES else None
        assert got.content == (whole or (ROOT / name).read_bytes())
        assert packed or len(got.content) <= len(gzip.compress(got.content))
    plain = await site.client.get(named[0], headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    unnamed = await site.client.get("/player/app.js")
    assert unnamed.headers["cache-control"] == "no-cache"
    again = await site.client.get("/player/app.js", headers={"if-none-match": unnamed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_browser_that_is_lost_gets_the_player_others_an_error(site: Site) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await site.client.get("/nowhere/at-all", headers=browser)
    assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == POLICY
    assert page.text == (await site.client.get("/")).text
    for path, headers in (("/nowhere", {}), ("/api/v1/nowhere", browser)):
        answer = await site.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    posted = await site.client.post("/nowhere", headers=browser)
    assert posted.status_code == 404 and posted.json()["error"]["code"] == "not_found"
