"""Signing in by key and by link, out again, and who sees what."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect

from tests.browser.visitor import Visitor, new_visitor
from tests.browser.world import World


def key_field(page: Page):
    return page.get_by_label("API key or admin key")


def one_time_link(world: World) -> str:
    """As the program prints it."""
    made = world.program.run("sign-in")
    link = re.search(r"http://\S+#code=\S+", made.stdout)
    assert link, made
    return link[0]


async def test_a_key_signs_in_where_one_wanted_to_go_and_out_again(visitor: Visitor) -> None:
    page, world = visitor.page, visitor.world
    wanted = f"/replays/{world.shop['ios']}?t=5000"
    await visitor.open(wanted)
    await page.wait_for_url("**/sign-in?next=*")
    await expect(key_field(page)).to_be_focused()
    for theme in ("light", "dark"):
        await visitor.theme(theme)
        await visitor.axe()

    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Enter a key")
    await key_field(page).fill("phk_wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not known")
    await expect(key_field(page)).to_be_focused()
    await visitor.axe()

    await key_field(page).fill(world.new_api_key("shop"))
    await page.keyboard.press("Enter")
    await page.wait_for_url("**" + wanted)
    (cookie,) = await visitor.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] in ("Strict", "Lax")
    assert await page.evaluate("document.cookie") == ""

    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    assert await visitor.context.cookies() == []
    await page.go_back()
    await page.wait_for_url("**/sign-in?next=*")  # what was seen before is not seen again
    cookies = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    answer = await visitor.context.request.get(world.url + "/api/v1/me", headers=cookies)
    assert answer.status == 401  # nor with a copy of the cookie


async def test_a_link_signs_one_browser_in_once(visitor: Visitor, browser: Browser) -> None:
    world = visitor.world
    link = one_time_link(world)
    answers: list[tuple[int, str]] = []
    visitor.page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    await visitor.page.goto(link)
    await expect(visitor.page.get_by_role("link", name="Playhead: sessions")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()
    await expect(visitor.page.locator("[data-session]").first).to_be_visible()
    assert "code" not in visitor.page.url
    await visitor.page.reload()
    await expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()
    assert (200, f"{world.url}/api/v1/sign-in") in answers
    assert [answer for answer in answers if answer[0] >= 400] == []

    async with new_visitor(browser, world) as other:
        await other.page.goto(link)
        await expect(other.page.get_by_role("alert")).to_contain_text("This link has been used or is too old")
        await expect(key_field(other.page)).to_have_attribute("aria-invalid", "false")
        assert "code" not in other.page.url


async def test_a_projects_key_shows_its_sessions_alone(visitor: Visitor) -> None:
    world = visitor.world
    await visitor.sign_in(world.new_api_key(world.new_project()))
    await visitor.open("/")
    await expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()
    for session_id in world.shop.values():
        answer = await visitor.context.request.get(f"{world.url}/api/v1/replays/{session_id}")
        assert answer.status == 404
        await expect(visitor.page.locator(f"a[href*='{session_id}']")).to_have_count(0)

    # a link makes somebody else of who is signed in
    await visitor.page.goto(one_time_link(world))
    await expect(visitor.page.locator("header").get_by_text("Shop")).to_be_attached()
    me = await visitor.context.request.get(f"{world.url}/api/v1/me")
    assert (await me.json())["admin"]
