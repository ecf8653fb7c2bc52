"""The list of issues: what the API knows, kinds in the address, the replay at the moment."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.test_sessions import HUGE, NARROW
from tests.browser.visitor import Visitor
from tests.browser.world import SHOP


async def test_an_issue_leads_to_a_replay_that_shows_it(visitor: Visitor) -> None:
    page, world = visitor.page, visitor.world
    issues = world.program.get(f"/api/v1/issues?project={SHOP}").json()["issues"]
    kinds = {each["type"] for each in issues}
    assert {"crash", "tap_rage"} <= kinds
    await visitor.sign_in()
    await visitor.open(f"/?project={SHOP}")
    await page.get_by_role("link", name="Issues").click()
    rows = page.locator(".issue-row")
    await expect(rows).to_have_count(len(issues))
    for issue, row in zip(issues, await rows.all(), strict=True):
        await expect(row).to_contain_text(issue["title"])

    await page.get_by_label("Kind").select_option("crash")
    await page.wait_for_url("**/issues?project=shop&type=crash")
    crashes = [each for each in issues if each["type"] == "crash"]
    await expect(rows).to_have_count(len(crashes))
    await page.go_back()
    await expect(rows).to_have_count(len(issues))
    await page.reload()
    await expect(rows).to_have_count(len(issues))

    (sample, *_) = crashes[0]["replays"]
    await rows.filter(has_text=crashes[0]["title"]).get_by_role("link").first.click()
    await page.wait_for_url(f"**/replays/{sample['session_id']}?t=*")
    await expect(page.get_by_role("slider").first).to_be_visible()


async def test_every_width_and_theme(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.open(f"/issues?project={SHOP}")
    await expect(visitor.page.locator(".issue-row").first).to_be_visible()
    for size in (NARROW, HUGE):
        await visitor.page.set_viewport_size(size)
        await visitor.no_sideways_scroll()
    for theme in ("light", "dark"):
        await visitor.theme(theme)
        await visitor.axe()


async def test_kinds_that_nobody_had_and_projects_that_nobody_has(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.open(f"/issues?project={visitor.world.new_project()}")
    await expect(visitor.page.get_by_role("heading", name="No issue was found")).to_be_visible()
    visitor.expect("status of 404")
    await visitor.open("/issues?project=nobody")
    await expect(visitor.page.get_by_role("heading", name="No such project")).to_be_visible()
