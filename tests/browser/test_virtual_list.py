"""A list of a million rows: only those in view are in the page, keys reach all, it follows until one scrolls away."""

from __future__ import annotations

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.visitor import Visitor

COUNT = 1_000_000

MOUNT = """async (count) => {
  const app = document.querySelector("link[rel=preload][as=script]").href;
  await import(new URL("panels/index.js", app));
  const { take } = await import(app);
  const { html, render } = take("vendor/lit-html/lit-html.js");
  const { virtualList } = take("draw/virtual_list.js");
  const root = document.querySelector("#overlay");
  root.style.cssText = "position: fixed; inset: 40px; display: flex; z-index: 99";
  const rows = { count, draw: (index) => html`row ${index}` };
  const state = { current: 500_000, selected: -1, following: true };
  window.list = {
    state,
    jumps: [],
    set(patch) {
      Object.assign(state, patch);
      render(virtualList({
        rows,
        label: "Rows",
        ...state,
        onSelect: (selected) => window.list.set({ selected }),
        onJump: (current) => {
          window.list.jumps.push(current);
          window.list.set({ current, following: true });
        },
        onFollow: (following) => window.list.set({ following }),
      }), root);
    },
  };
  window.list.set({});
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(visitor: Visitor) -> Page:
    await visitor.open("/sign-in")
    await visitor.page.get_by_label("key").wait_for()
    await visitor.page.evaluate(MOUNT, COUNT)
    return visitor.page


async def test_a_million_rows_are_a_few_dozen_in_the_page(page: Page) -> None:
    rows = page.get_by_role("option")
    await expect(page.get_by_role("option", name="row 500000", exact=True)).to_be_in_viewport()
    assert 10 < await rows.count() < 60
    current = page.locator("[aria-current=true]")
    await expect(current).to_have_attribute("aria-posinset", "500001")
    await expect(current).to_have_attribute("aria-setsize", str(COUNT))


async def test_keys_reach_every_row(page: Page) -> None:
    selected = page.get_by_role("option", selected=True)
    await page.get_by_role("listbox").focus()
    for key, expected in [
        ("ArrowDown", 500_001),
        ("End", COUNT - 1),
        ("ArrowUp", COUNT - 2),
        ("Home", 0),
        ("ArrowUp", 0),
        ("ArrowDown", 1),
    ]:
        await page.keyboard.press(key)
        await expect(selected).to_have_text(f"row {expected}")
        await expect(selected).to_be_in_viewport(ratio=0.9)
        active = await page.get_by_role("listbox").get_attribute("aria-activedescendant")
        assert active == await selected.get_attribute("id")
    await page.keyboard.press("PageDown")
    assert int((await selected.inner_text()).split()[1]) > 8
    assert await page.evaluate("list.jumps") == []
    await page.keyboard.press("Enter")
    assert len(await page.evaluate("list.jumps")) == 1
    await page.keyboard.press("Escape")
    await expect(selected).to_have_count(0)


async def test_the_current_row_is_followed_until_one_scrolls_away(page: Page) -> None:
    for current in (500_001, 500_300, 7, COUNT - 1, 250_000):
        await page.evaluate("(current) => list.set({ current })", current)
        await expect(page.get_by_role("option", name=f"row {current}", exact=True)).to_be_in_viewport()
    follow = page.get_by_role("button", name="Follow")
    await expect(follow).to_have_count(0)

    await page.get_by_role("listbox").hover()
    await page.mouse.wheel(0, 3000)
    await expect(follow).to_be_visible()
    await page.evaluate("list.set({ current: 600_000 })")
    await expect(page.get_by_role("option", name="row 600000", exact=True)).to_have_count(0)
    await follow.click()
    await expect(page.get_by_role("option", name="row 600000", exact=True)).to_be_in_viewport()
    await expect(follow).to_have_count(0)


async def test_a_click_selects_and_jumps(page: Page) -> None:
    row = page.get_by_role("option", name="row 500002", exact=True)
    await row.click()
    await expect(row).to_have_attribute("aria-selected", "true")
    await expect(row).to_have_attribute("aria-current", "true")
    assert await page.evaluate("list.jumps") == [500_002]
