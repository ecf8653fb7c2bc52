"""What apps and users recorded is data wherever the player shows it: nothing of it runs, nothing is fetched."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.hostile import CANARY, PAYLOADS, send_session
from tests.browser.replay_page import Recording, ReplayPage
from tests.browser.visitor import Visitor

TAB_TITLES = ("Events", "Network", "Logs", "GraphQL", "Performance", "Crash", "Screens", "Session")


async def test_no_recorded_string_becomes_part_of_a_page(visitor: Visitor) -> None:
    page, world = visitor.page, visitor.world
    project = world.new_project()
    session_id, polyglot_ms = await send_session(world, project)
    world.await_recordings(project, 1)
    ran: list[object] = []
    await page.expose_function(CANARY, lambda said: ran.append(said))
    # the driver's own function works, so a script that runs would be noticed
    await visitor.open("/sign-in")
    await page.evaluate(f"{CANARY}('works')")
    assert ran == ["works"]
    ran.clear()

    await visitor.sign_in()
    await visitor.open(f"/?project={project}")
    row = page.locator(f"[data-session='{session_id}']")
    await expect(row).to_contain_text("<script>")
    await visitor.no_sideways_scroll()
    await search_by_recorded_values(page)

    player = ReplayPage(visitor, Recording.of(world, session_id))
    await player.open()
    for title in TAB_TITLES:
        panel = await player.panel(title)
        await read_everything(panel)
    assert PAYLOADS[1] in await panel.inner_text(), "shown as it is, not left out"
    await visitor.no_sideways_scroll()

    # all along the session: captions, hover cards, veils
    slider = page.get_by_role("slider", name="Position in the session")
    box = await slider.bounding_box()
    assert box
    for share in range(0, 100, 5):
        x = box["x"] + box["width"] * share / 100
        await page.mouse.move(x, box["y"] + 4)
        await page.mouse.click(x, box["y"] + 4)
    for path in ("", f"/frames/{polyglot_ms}", "/timeline", "/messages?limit=1000"):
        answer = await visitor.context.request.get(f"{world.url}/api/v1/replays/{session_id}{path}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] in ("application/json", "image/jpeg")
    visitor.expect("default-src 'none'")  # the browser's own page around a picture has styles
    await visitor.open(f"/api/v1/replays/{session_id}/frames/{polyglot_ms}")

    assert ran == []
    assert await page.evaluate("({}).polluted") is None
    assert "canary" not in await page.title()


async def search_by_recorded_values(page: Page) -> None:
    """The filter menu offers what was recorded; one of it is taken and becomes a chip."""
    await page.keyboard.press("f")
    await page.keyboard.type("event")
    await page.keyboard.press("Enter")
    option = page.get_by_role("option").filter(has_text="<script>").first
    await option.click()
    await expect(page.get_by_role("list", name="Filters")).to_contain_text("<script>")
    await page.get_by_role("button", name="Clear all").click()


async def read_everything(panel: Locator) -> None:
    """Open each row of the panel's list, by keyboard."""
    page = panel.page
    rows = panel.get_by_role("listbox")
    if not await rows.count():
        return
    await rows.focus()
    await page.keyboard.press("Home")
    number = int(await panel.get_by_role("option").first.get_attribute("aria-setsize") or 0)
    for _ in range(min(number, 120)):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("option", selected=True)).to_have_count(1)
