"""A link to one session: it opens that one without an account, nothing else, and says when it was withdrawn."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.browser.replay_page import PAINTED
from tests.browser.visitor import Visitor, new_visitor


async def test_a_shared_link_opens_one_session_until_it_is_withdrawn(
    visitor: Visitor, browser: Browser
) -> None:
    world, page = visitor.world, visitor.page
    shared, other = world.shop["ios"], world.shop["android"]
    await visitor.sign_in()
    await visitor.open(f"/replays/{shared}?t=20000")
    await page.get_by_role("button", name="Share").click()
    sharing = page.get_by_role("dialog")
    await sharing.get_by_role("button", name="Make a link").click()
    link = await sharing.get_by_label("Link").input_value()
    assert link.startswith(f"{world.url}/replays/{shared}?t=20000#share=")
    for theme in ("light", "dark"):
        await visitor.theme(theme)
        await visitor.axe()

    async with new_visitor(browser, world) as guest:
        seen = guest.page
        excused, guest.expected = guest.expected, []  # nothing is asked as nobody
        await seen.goto(link)
        await guest.comes_true(PAINTED)
        guest.expected = excused
        assert seen.url == f"{world.url}/replays/{shared}?t=20000", "the secret stays in no history"
        await expect(seen.get_by_role("slider", name="Position")).to_have_attribute("aria-valuenow", "20")
        await expect(seen.get_by_role("tab").first).to_be_visible()
        for name in ("Share", "Delete this session"):
            await expect(seen.get_by_role("button", name=name)).to_have_count(0)
        await expect(seen.get_by_role("link", name="Back to the list")).to_have_count(0)
        await guest.axe()
        await seen.reload()
        await guest.comes_true(PAINTED)

        guest.expect("status of 404")
        for path in (f"/replays/{other}", f"/replays/{other}/timeline", f"/replays/{other}/frames"):
            assert (await guest.context.request.get(f"{world.url}/api/v1{path}")).status == 404
        for path in ("/replays?project=shop", "/projects", "/events?project=shop", "/issues?project=shop"):
            assert not (await guest.context.request.get(f"{world.url}/api/v1{path}")).ok, path
        await guest.open(f"/replays/{other}")
        await expect(seen.get_by_text("This session is not here")).to_be_visible()
        await guest.open("/")
        await expect(seen.get_by_text("Your link opens one session")).to_be_visible()
        await guest.axe()

        await sharing.get_by_role("button", name="Withdraw all links").click()
        await expect(sharing.get_by_label("Link")).to_have_count(0)
        await seen.goto(f"{world.url}/replays/{shared}")
        await seen.wait_for_url("**/sign-in*")  # whoever was let in is let in no longer

    async with new_visitor(browser, world) as late:
        await late.page.goto(link)
        await expect(late.page.get_by_role("alert")).to_contain_text("link")
        await expect(late.page.get_by_label("API key or admin key")).to_be_visible()
        assert "share" not in late.page.url


async def test_a_second_link_opens_its_session_in_the_same_browser(
    visitor: Visitor, browser: Browser
) -> None:
    world = visitor.world
    admin = {"authorization": f"Bearer {world.program.admin_key}"}
    links = []
    for name in ("ios", "android"):
        shares = f"{world.url}/api/v1/replays/{world.shop[name]}/share"
        made = await visitor.context.request.post(shares, data={"expires_in_s": 600}, headers=admin)
        links.append((await made.json())["url"])
    async with new_visitor(browser, world) as guest:
        guest.expect("status of 404")  # what is asked for ahead, as who came by the first link
        for link in links:
            await guest.page.goto("about:blank")
            await guest.page.goto(link)
            await guest.comes_true(PAINTED)
