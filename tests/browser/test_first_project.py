"""The first minutes of a server without a project: made in the browser, then waiting for its first session."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, expect

from client.devices import Platform
from client.scenario import Wishes
from tests.browser.replay_page import PAINTED
from tests.browser.test_sessions import NARROW
from tests.browser.visitor import Visitor, new_visitor
from tests.browser.world import Visit, World, open_world


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(browser: Browser, postgres_dsn: str, tmp_path) -> AsyncIterator[Visitor]:
    """At a server that nobody has used."""
    world: World = open_world(tmp_path / "empty", postgres_dsn)
    try:
        async with new_visitor(browser, world) as somebody:
            yield somebody
    finally:
        world.program.close()


async def test_from_no_project_to_the_first_session(newcomer: Visitor) -> None:
    page, world = newcomer.page, newcomer.world
    await newcomer.sign_in()
    await newcomer.open()
    await expect(page.get_by_role("heading", name="Your first project")).to_be_visible()
    for theme in ("light", "dark"):
        await newcomer.theme(theme)
        await newcomer.axe()

    newcomer.expect("status of 422")
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_text("Give it a name.")).to_be_visible()
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.get_by_label("Name").fill("Shop <b>of</b> Ada")
    await page.get_by_label("Key").fill("no blanks allowed")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Key")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Key")).to_be_focused()
    await newcomer.axe()

    await page.get_by_label("Key").fill("ada-shop")
    await page.get_by_label("Platform").select_option("ios")
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Create project").click()
    await page.wait_for_url("**project=ada-shop*")
    await expect(page.get_by_text("Waiting for the first session")).to_be_visible()
    made = world.program.get("/api/v1/projects/ada-shop").json()
    assert (made["name"], made["platform"]) == ("Shop <b>of</b> Ada", "ios")
    await expect(page.get_by_role("tabpanel")).to_contain_text("ada-shop")
    await page.set_viewport_size(NARROW)
    await newcomer.no_sideways_scroll()

    (session_id,) = await world.visit("ada-shop", [Visit(Platform.IOS, 0.5, Wishes(app="shop", user="june"))])
    await expect(page.get_by_text("The first session is here")).to_be_visible(timeout=30_000)
    await page.get_by_role("link", name="Watch").click()
    await page.wait_for_url(f"**/replays/{session_id}*")
    await newcomer.comes_true(PAINTED)
