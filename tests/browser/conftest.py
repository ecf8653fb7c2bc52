"""A real server with simulated sessions, a real browser, and a page per test that forgives nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import chromium
from tests.browser.visitor import Visitor, new_visitor
from tests.browser.world import SHOP, VISITS, World, open_world
from tests.databases import Databases

FOLDER = Path(__file__).parent
REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives on one event loop, so all its tests do."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[REPORT] = report
    return report


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = chromium.find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.HOW_TO_GET)
        pytest.skip(chromium.HOW_TO_GET)
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(browser_path: str) -> AsyncIterator[Browser]:
    async with chromium.launched(browser_path) as running:
        yield running


@pytest.fixture(scope="session")
def world_dsn(databases: Databases) -> Iterator[str]:
    with databases.lent() as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(browser_path: str, world_dsn: str, tmp_path_factory) -> AsyncIterator[World]:
    """The program, with a project `shop` that holds one session of each platform."""
    made = open_world(tmp_path_factory.mktemp("world"), world_dsn)
    try:
        made.program.post("/api/v1/projects", {"name": "Shop", "key": SHOP}).raise_for_status()
        ids = await made.visit(SHOP, VISITS)
        made.shop = {visit.platform.value: id for visit, id in zip(VISITS, ids, strict=True)}
        made.await_recordings(SHOP, len(VISITS))
        yield made
    finally:
        made.program.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    browser: Browser, world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Visitor]:
    """Somebody who has never been here; whatever the page complains of fails the test."""
    async with new_visitor(browser, world) as somebody:
        yield somebody
        report = request.node.stash.get(REPORT, None)
        if somebody.faults or report is None or report.failed:
            picture = tmp_path / "page.png"
            await somebody.page.screenshot(path=picture)
            print(f"the page as it was last: {picture} at {somebody.page.url}")
