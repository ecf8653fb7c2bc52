"""Every request that the pages on collectors and the quickstart show, run against the program as it is shown."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playhead.program import ROOT, Program, until

COLLECTORS = ROOT / "docs" / "howto" / "collectors"
PAGES = ("README", "events", "hamustro", "segment", "segment-webhook", "apprtc")
SOURCES = {"json", "hamustro", "segment", "segmentio", "apprtc"}
CURL = 'set -e\ncurl() { command curl -sS --noproxy "*" --fail-with-body "$@"; echo; }\n'


def commands(text: str) -> list[str]:
    """The shell blocks of a page that send requests."""
    return [block for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M) if "curl" in block]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Program]]:
    made = [Program(tmp_path_factory.mktemp(name), "serve") for name in ("pages", "quickstart")]
    try:
        yield [each.await_ready() for each in made]
    finally:
        for each in made:
            each.close()


def run(program: Program, blocks: list[str]) -> None:
    for block in blocks:
        environ = {"URL": program.url, "KEY": program.admin_key, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(["bash", "-c", CURL + block], env=environ, capture_output=True, text=True)
        assert done.returncode == 0, (block, done.stdout, done.stderr)


def check(program: Program) -> None:
    def sources() -> set[str]:
        events = program.get("/api/v1/events?project=shop").json()["events"]
        return {each["source"] for each in events}

    assert until(lambda: sources() == SOURCES), sources()


def test_each_page_of_a_collector(programs: list[Program]) -> None:
    assert {page.stem for page in COLLECTORS.glob("*.md")} == set(PAGES)
    for page in PAGES:
        blocks = commands(Path(COLLECTORS / f"{page}.md").read_text("utf-8"))
        assert blocks, page
        run(programs[0], blocks)
    check(programs[0])


def test_the_quickstarts_part_on_collectors(programs: list[Program]) -> None:
    text = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    run(programs[1], commands(text[text.index("## 5. Events of other collectors") :]))
    check(programs[1])
