"""An exported page, opened from a disk without any server: it plays, and what apps sent is text on it."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.async_api import Browser

from tests.browser.test_sessions import NARROW
from tests.browser.visitor import Visitor
from tests.browser.world import World

#: width to height of the picture as it is drawn, and as it is
SHAPES = (
    "(picture) => [picture.clientWidth / picture.clientHeight, picture.naturalWidth / picture.naturalHeight]"
)


async def test_it_plays_from_a_disk_without_asking_anybody(
    world: World, browser: Browser, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {world.program.admin_key}"}
    url = f"{world.url}/api/v1/replays/{world.shop['ios']}/export?format=html"
    page_file = tmp_path / "replay.html"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        page_file.write_bytes((await client.get(url, headers=headers)).content)
    context = await browser.new_context(viewport={"width": 1100, "height": 700}, offline=True)
    page = await context.new_page()
    faults: list[str] = []
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda problem: faults.append(str(problem)))
    page.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    try:
        await page.goto(page_file.as_uri())
        picture = page.locator("#picture")
        await page.wait_for_function("() => document.querySelector('#picture').naturalWidth > 0")
        first = await picture.get_attribute("src")
        assert first and first.startswith("data:image/")
        for size in (NARROW, {"width": 1100, "height": 700}):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            whole, natural = await picture.evaluate(SHAPES)
            assert abs(whole - natural) < 0.01 * natural, size
        rows = page.locator(".row")
        assert 5 < await rows.count() < 60
        # a row takes us to its moment, and its whole text is shown
        await page.get_by_role("searchbox").fill("network")
        chosen = rows.nth(1)
        text = await chosen.locator(".text").text_content()
        await chosen.click()
        assert text and text in (await page.locator("#detail").text_content() or "")
        assert int(await page.locator("#seek").input_value()) > 0
        assert await page.locator('[aria-selected="true"]').count() == 1
        # it plays and stops
        await page.get_by_role("searchbox").fill("")
        before = int(await page.locator("#seek").input_value())
        await page.get_by_role("button", name="Play").click()
        await page.wait_for_function(f"() => Number(document.querySelector('#seek').value) > {before + 300}")
        await page.get_by_role("button", name="Pause").click()
        await page.locator("#seek").fill("999999999")
        await page.wait_for_function("first => document.querySelector('#picture').src !== first", arg=first)
        await page.get_by_text("Session", exact=True).click()
        await Visitor(page, context, world).axe()
        await page.screenshot(path=tmp_path / "page.png")
        assert not faults
    finally:
        await context.close()
