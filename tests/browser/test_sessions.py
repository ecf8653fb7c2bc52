"""The session list: what it shows, filters in the address, thousands of rows, the keyboard, the first session."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest_asyncio
from playwright.async_api import Locator, Page, ViewportSize, expect

from client.devices import Platform
from client.scenario import Wishes
from tests.browser.visitor import Visitor
from tests.browser.world import SHOP, Visit

SEEDED = 2_000
HUGE: ViewportSize = {"width": 3840, "height": 2160}
TALL: ViewportSize = {"width": 1280, "height": 2160}
NARROW: ViewportSize = {"width": 360, "height": 740}


def rows(page: Page) -> Locator:
    return page.locator("[data-session]")


async def shown(page: Page) -> list[str]:
    """Ids of the sessions whose rows are on the page, from top to bottom."""
    found: list[str] = await page.evaluate("""() => [...document.querySelectorAll("[data-session]")]
        .sort((a, b) => a.dataset.index - b.dataset.index).map((row) => row.dataset.session)""")
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def listed(visitor: Visitor) -> Visitor:
    """Looking at the project with one session of each platform."""
    await visitor.sign_in()
    await visitor.open(f"/?project={SHOP}")
    await expect(rows(visitor.page)).to_have_count(2)
    return visitor


async def test_a_row_tells_what_the_api_knows(listed: Visitor) -> None:
    world, page = listed.world, listed.page
    for replay in world.replays(SHOP):
        row = page.locator(f"[data-session='{replay['session_id']}']")
        device = {"ios": "iPhone 14 Pro", "android": "Pixel 8"}[
            replay["platform"]
        ]  # not what the maker calls it
        for text in (replay["user"]["id"], device, replay["device"]["os_version"]):
            await expect(row).to_contain_text(text)
        issues = {each["type"] for each in replay["issues"]}
        await expect(row.get_by_text("Crash", exact=True)).to_have_count(int("crash" in issues))
        await expect(row.get_by_text("Tap rage", exact=True)).to_have_count(int("tap_rage" in issues))
        poster = row.locator("img")
        await expect(poster).to_be_visible()
        assert await poster.evaluate("image => image.decode().then(() => image.naturalWidth)") > 10


async def test_every_width_and_theme(listed: Visitor) -> None:
    for size in (NARROW, HUGE):
        await listed.page.set_viewport_size(size)
        await expect(rows(listed.page)).to_have_count(2)
        await listed.no_sideways_scroll()
    for theme in ("light", "dark"):
        await listed.theme(theme)
        await listed.axe()


async def test_filters_live_in_the_address(listed: Visitor) -> None:
    page, world = listed.page, listed.world
    android = world.shop["android"]
    # by keyboard: which field, which of the values that exist
    await page.keyboard.press("f")
    await expect(page.get_by_role("combobox", name="Filter by")).to_be_focused()
    await page.keyboard.type("iss")
    options = page.get_by_role("dialog").get_by_role("option")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(options.filter(has_text="Crash")).to_be_visible()
    await listed.axe()
    await page.keyboard.type("cra")
    await expect(options.first).to_contain_text("Crash")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**issue=crash*")
    await expect(rows(page)).to_have_count(1)
    assert await shown(page) == [android]

    await page.get_by_label("Search sessions").fill("nobody has this name")
    await expect(page.get_by_text("No session matches")).to_be_visible()
    await page.wait_for_url("**text=nobody*")
    await page.reload()
    await expect(page.get_by_text("No session matches")).to_be_visible()
    await listed.axe()

    await page.go_back()
    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_label("Search sessions")).to_have_value("")
    await page.go_back()
    await expect(rows(page)).to_have_count(2)
    await page.go_forward()
    await expect(rows(page)).to_have_count(1)

    await page.get_by_role("button", name="Remove filter: Issue is Crash").click()
    await expect(rows(page)).to_have_count(2)
    await page.get_by_label("Order").select_option("oldest")
    await page.wait_for_url("**sort=oldest*")
    oldest = [each["session_id"] for each in reversed(world.replays(SHOP))]
    await expect(rows(page).first).to_have_attribute("data-session", oldest[0])
    assert await shown(page) == oldest


async def test_by_keyboard_into_a_session_and_back_to_its_row(listed: Visitor) -> None:
    page = listed.page
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    second = (await shown(page))[1]
    focused = page.locator(f"[data-session='{second}'] a")
    await expect(focused).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/replays/{second}*")
    await page.go_back()
    await expect(focused).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Next session")
    await listed.axe()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def scrolled_through(visitor: Visitor, step_px: int, look: Callable[[], Awaitable[None]]) -> None:
    """From where the page is to the end of the list, waiting for rows wherever they are not there yet."""
    while True:
        await look()
        if await visitor.page.evaluate(SCROLLED, step_px):
            continue
        if await visitor.page.get_by_text("That is all.").count():
            moved = await visitor.page.evaluate(
                SCROLLED, step_px
            )  # the last rows may have come with these words
            await look()
            if not moved:
                return
            continue
        await visitor.comes_true(
            "() => scrollY + innerHeight < document.documentElement.scrollHeight - 1 ||"
            " document.body.innerText.includes('That is all.')"
        )


#: one step on and the rows there drawn -> whether the page was not at its end yet
SCROLLED = """async (step_px) => {
    const before = scrollY;
    scrollBy(0, step_px);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
    return scrollY > before;
}"""


async def test_thousands_of_rows_without_a_jump(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    project = world.new_project()
    await world.seed(project, SEEDED)
    await visitor.sign_in()
    await visitor.open(f"/?project={project}")
    await expect(rows(page).first).to_be_visible()
    await page.evaluate(WATCH_JUMPS)
    seen: dict[str, int] = {}

    async def look() -> None:
        found = await page.evaluate("""() => [...document.querySelectorAll("[data-session]")]
            .map((row) => [row.dataset.session, Number(row.dataset.index)])""")
        assert 0 < len(found) < 150, "only what is near is drawn"
        for session_id, index in found:
            assert seen.setdefault(session_id, index) == index, "a row has changed its place"

    await page.set_viewport_size(TALL)
    await page.evaluate(SCROLLED, 0)  # drawn for the taller window
    await scrolled_through(visitor, TALL["height"] // 2, look)
    assert sorted(set(range(SEEDED)) - set(seen.values())) == []
    assert sorted(seen.values()) == list(range(SEEDED))
    assert await page.evaluate("jumps") == []

    # into a row far down and back: the list is where it was
    await page.evaluate(SCROLLED, -50_000)
    middle = (await shown(page))[20]
    before = await page.locator(f"[data-session='{middle}']").bounding_box()
    visitor.expect("status of 404")  # nothing was recorded of it
    await page.locator(f"[data-session='{middle}'] a").click()
    await page.wait_for_url(f"**/replays/{middle}*")
    await page.go_back()
    deadline = time.monotonic() + 10
    while await page.locator(f"[data-session='{middle}']").bounding_box() != before:
        assert time.monotonic() < deadline, "the list is elsewhere"
        await asyncio.sleep(0.05)


#: rows that move although nobody scrolled
WATCH_JUMPS = """() => {
    window.jumps = [];
    let last = null;
    const look = () => {
        const rows = [...document.querySelectorAll("[data-session]")];
        const now = new Map(rows.map((row) => [row.dataset.session, row.getBoundingClientRect().top + scrollY]));
        for (const [id, top] of now) {
            if (last?.has(id) && Math.abs(last.get(id) - top) > 1) jumps.push([id, last.get(id), top]);
        }
        last = now;
        requestAnimationFrame(look);
    };
    look();
}"""


async def test_an_empty_project_waits_for_its_first_session(visitor: Visitor) -> None:
    world, page = visitor.world, visitor.page
    project = world.new_project()
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.sign_in()
    await visitor.open(f"/?project={project}")
    await expect(page.get_by_text("Waiting for the first session")).to_be_visible()
    for name in ("iOS, Swift", "Android, Kotlin", "React Native"):
        await page.get_by_role("tab", name=name).click()
        panel = page.get_by_role("tabpanel")
        await expect(panel).to_contain_text(f"{world.url}/ingest")
        await panel.get_by_role("button", name="Copy").click()
        await expect(panel.get_by_role("button", name="Copied")).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert world.url in copied and project in copied
    for theme in ("light", "dark"):
        await visitor.theme(theme)
        await visitor.axe()
    await page.set_viewport_size(NARROW)
    await visitor.no_sideways_scroll()

    (session_id,) = await world.visit(project, [Visit(Platform.IOS, 0.15, Wishes(app="shop", user="june"))])
    await expect(page.get_by_text("The first session is here")).to_be_visible(timeout=30_000)
    await visitor.axe()
    await page.get_by_role("link", name="Watch").click()
    await page.wait_for_url(f"**/replays/{session_id}*")
    await page.get_by_role("link", name="Playhead: sessions").click()
    await expect(rows(page)).to_have_count(1)
