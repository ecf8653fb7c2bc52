"""The panels beside the stage: what they list, search and filter, how they follow and lead the playhead."""

from __future__ import annotations

import json
import re

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.replay_page import Recording, ReplayPage
from tests.browser.visitor import Visitor


@pytest_asyncio.fixture(loop_scope="session")
async def ios(visitor: Visitor) -> ReplayPage:
    return await opened(visitor, "ios")


@pytest_asyncio.fixture(loop_scope="session")
async def android(visitor: Visitor) -> ReplayPage:
    return await opened(visitor, "android")


async def opened(visitor: Visitor, platform: str) -> ReplayPage:
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.sign_in()
    player = ReplayPage(visitor, Recording.of(visitor.world, visitor.world.shop[platform]))
    await player.open("?t=10000")
    return player


async def test_every_panel_in_both_themes(android: ReplayPage) -> None:
    page = android.visitor.page
    await expect(page.get_by_role("tab").first).to_be_visible()
    titles = await page.get_by_role("tab").all_inner_texts()
    assert len(titles) == 8, titles
    for title in titles:
        panel = await android.panel(title.split()[0])
        await expect(panel).not_to_be_empty()
        option = panel.get_by_role("option").first
        if await option.count():
            await option.click()
        for theme in ("light", "dark"):
            await android.visitor.theme(theme)
            await android.visitor.axe()
    # by keyboard round the tabs
    await page.get_by_role("tab", selected=True).press("Home")
    await expect(page.get_by_role("tab").first).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("tab").last).to_have_attribute("aria-selected", "true")


async def test_events_are_searched_filtered_and_jumped_to(ios: ReplayPage) -> None:
    page = ios.visitor.page
    panel = await ios.panel("Events")
    taps = ios.recording.track("taps")
    chip = panel.get_by_role("button", name=re.compile("^Taps"))
    await expect(chip).to_contain_text(str(len(taps)))
    await chip.click()
    await expect(panel.get_by_role("listbox")).to_have_attribute("aria-label", re.compile(f", {len(taps)}$"))

    await panel.get_by_role("searchbox").fill("uibutton")
    found = [row for row in taps if "uibutton" in row["label"].lower()]
    assert 0 < len(found) < len(taps)
    await expect(panel.get_by_role("listbox")).to_have_attribute("aria-label", re.compile(f", {len(found)}$"))
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("option", selected=True)).to_have_count(1)
    jumped = await ios.second()
    assert jumped in {row["t"] // 1000 for row in found}
    await panel.get_by_role("searchbox").fill("nothing is called so")
    await expect(panel).to_contain_text("matches")
    await page.keyboard.press("Escape")

    # the list follows the playhead, until one scrolls away in it
    await ios.slider.focus()
    await page.keyboard.press("End")
    await expect(panel.locator("[aria-current=true]")).to_be_in_viewport()
    last = await panel.locator("[aria-current=true]").get_attribute("aria-posinset")
    await page.keyboard.press("Home")
    await page.keyboard.press("PageUp")
    await expect(panel.locator(f"[aria-current=true][aria-posinset='{last}']")).to_have_count(0)


async def test_a_network_call_in_full(ios: ReplayPage) -> None:
    world, page = ios.visitor.world, ios.visitor.page
    panel = await ios.panel("Network")
    calls = ios.recording.track("network")
    failed = [each for each in calls if each["status"] >= 400]
    assert failed
    await panel.get_by_role("button", name=re.compile("^Errors")).click()
    await expect(panel.get_by_role("option")).to_have_count(len(failed))
    await panel.get_by_role("option").first.click()
    await ios.at(failed[0]["t"] // 1000)

    path = f"/api/v1/replays/{ios.recording.session_id}/messages?type=105&limit=1000"
    sent = next(
        each["fields"]
        for each in world.program.get(path).json()["messages"]
        if each["index"] == failed[0]["i"]
    )
    detail = panel.locator(".panel-detail")
    await expect(detail).to_contain_text(sent["URL"])
    await expect(detail).to_contain_text(str(sent["Status"]))
    response = json.loads(sent["Response"])
    for name, value in response["headers"].items():
        await expect(detail).to_contain_text(name)
        await expect(detail).to_contain_text(value)
    for name in json.loads(response["body"]):
        await expect(detail).to_contain_text(name)
    await detail.get_by_role("button", name="Copy as curl").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl") and sent["URL"] in copied


async def test_logs_and_graphql(ios: ReplayPage) -> None:
    for title, track, column in (("Logs", "logs", "content"), ("GraphQL", "graphql", "operation_name")):
        rows = ios.recording.track(track)
        panel = await ios.panel(title)
        if not rows:
            await expect(panel).to_contain_text("This session")
            continue
        text = rows[-1][column].strip()
        await panel.get_by_role("searchbox").fill(text[:20])
        row = panel.get_by_role("option").filter(has_text=text[:20]).last
        await row.click()
        await expect(panel.locator(".panel-detail")).to_contain_text(text)


async def test_a_crash_with_its_stack(android: ReplayPage) -> None:
    (crash,) = android.recording.track("crashes")
    panel = await android.panel("Crash")
    await expect(panel).to_contain_text(crash["name"])
    await expect(panel).to_contain_text(crash["reason"])
    await expect(panel.get_by_role("list", name="Stack").get_by_role("listitem").nth(3)).to_be_visible()
    await panel.get_by_role("button", name=re.compile(r"^\d+:")).first.click()
    await android.at(crash["t"] // 1000)


async def test_charts_share_the_time(android: ReplayPage) -> None:
    panel = await android.panel("Performance")
    canvases = panel.locator("canvas")
    assert await canvases.count() >= 2
    drawn = await panel.evaluate("""(panel) => [...panel.querySelectorAll("canvas")].every((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
    })""")
    assert drawn
    box = await canvases.first.bounding_box()
    assert box
    before = await android.second()
    await android.visitor.page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5)
    await android.visitor.comes_true(
        "before => Number(document.querySelector('[role=slider]').ariaValueNow) > before + 5", before
    )


async def test_screens_and_facts(ios: ReplayPage) -> None:
    replay = ios.recording.replay
    panel = await ios.panel("Screens")
    names = [row["screen"] for row in ios.recording.track("views") if row["visible"]]
    await expect(panel.get_by_role("option").first).to_contain_text(names[0])
    panel = await ios.panel("Session")
    for text in (
        replay["user"]["id"],
        replay["device"]["model"],
        replay["device"]["name"],
        replay["session_id"],
        *replay["metadata"].values(),
    ):
        await expect(panel).to_contain_text(text)
    await expect(ios.visitor.page.locator(".completeness")).not_to_be_empty()
