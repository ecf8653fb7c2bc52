"""What `bench_browser` measures in a page: times of a navigation, frames, memory."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import psutil
from playwright.async_api import Browser, CDPSession, Page

from benchmarks.browser_data import ADMIN_KEY

VIEWPORT: Final = {"width": 1280, "height": 800}
WAIT_S: Final = 30
SETTLED_MS: Final = 1_500  # a list that somebody has looked at
#: a new window first loads the browser's own page for new tabs, which takes both cores for about a second
AWAKE_MS: Final = 2_000

#: gaps between the frames that the page is given to draw, ms, until `gaps.stop`
WATCH_FRAMES: Final = """() => {
    window.gaps = [];
    let last = null;
    const look = (now) => {
        if (last !== null) gaps.push(now - last);
        last = now;
        if (!gaps.stop) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
FRAMES: Final = "() => { gaps.stop = true; return [...gaps]; }"
PLAYER_PAINTED: Final = "() => performance.getEntriesByName('playhead:first-frame')[0]?.startTime ?? null"
#: the whole page is drawn and can be steered: timeline, controls, head
READY: Final = "() => performance.getEntriesByName('playhead:ready')[0]?.startTime ?? null"
#: clicks on a row of the list; the picture's moment is told as from then on
CLICKED: Final = """(session) => {
    performance.clearMarks();
    window.clicked_ms = performance.now();
    document.querySelector(`[data-session="${session}"] a`).click();
}"""
#: a mark's moment since then
SINCE_CLICK: Final = """(name) => {
    const mark = performance.getEntriesByName(name)[0];
    return mark ? mark.startTime - clicked_ms : null;
}"""
BARE_PAINTED: Final = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True, slots=True)
class Frames:
    """Gaps between frames, ms."""

    gaps: list[float]

    @property
    def median(self) -> float:
        """Half of them are shorter."""
        return statistics.median(self.gaps)

    @property
    def p95(self) -> float:
        """Of twenty, one is longer."""
        return sorted(self.gaps)[int(len(self.gaps) * 0.95)]

    @property
    def per_second(self) -> float:
        """Frames drawn per second of the whole time."""
        return 1000 * len(self.gaps) / sum(self.gaps)

    def __str__(self) -> str:
        return (
            f"{self.per_second:>5.1f} frames/s, gap median {self.median:.1f}, p95 {self.p95:.1f}, "
            f"longest {max(self.gaps):.0f} ms"
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """Of a page after a forced collection: its script's heap and whole process (MB), bitmaps that hold pixels."""

    heap_mb: float
    process_mb: float
    bitmaps: int

    def __str__(self) -> str:
        return (
            f"heap {self.heap_mb:.1f} MB, {self.bitmaps} decoded pictures, renderer {self.process_mb:.0f} MB"
        )


@asynccontextmanager
async def visit(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page of somebody signed in whose browser is at rest and has nothing in its cache."""
    context = await browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    try:
        answer = await context.request.post(f"{url}/api/v1/sign-in", data={"key": ADMIN_KEY})
        assert answer.ok, await answer.text()
        page = await context.new_page()
        await page.wait_for_timeout(AWAKE_MS)
        yield page
    finally:
        await context.close()


async def found(page: Page, script: str, given: object = None) -> Any:
    """What a function of the page gives once it gives anything."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = await page.evaluate(script, given)
        if value is not None:
            return value
        await asyncio.sleep(0.02)
    raise SystemExit(f"nothing came of {script}")


async def painted(page: Page, address: str, script: str) -> tuple[float, int]:
    """From the start of the navigation to the first picture, ms; and the requests until then."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(address, wait_until="commit")
    return float(await found(page, script)), len(asked)


async def painted_from_list(page: Page, address: str, session_id: str) -> tuple[float, float, int]:
    """From a click on a session in the list to its first picture and to the whole page, ms; the requests until the
    picture.
    """
    await page.goto(address)
    await page.locator(f"[data-session='{session_id}']").wait_for()
    await page.wait_for_timeout(SETTLED_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate(CLICKED, session_id)
    picture = float(await found(page, SINCE_CLICK, "playhead:first-frame"))
    requests = len(asked)
    return picture, float(await found(page, SINCE_CLICK, "playhead:ready")), requests


async def median_of(rounds: int, once: Callable[[], Awaitable[float]]) -> float:
    """Of so many."""
    return statistics.median([await once() for _ in range(rounds)])


async def frames_during(page: Page, deed: Callable[[], Awaitable[Any]]) -> Frames:
    """The frames that the page draws meanwhile."""
    await page.evaluate(WATCH_FRAMES)
    await deed()
    return Frames(await page.evaluate(FRAMES))


async def sweep(page: Page, seconds: float, *, back: bool) -> None:
    """Drag the playhead along the whole timeline, a move per frame of 60 a second."""
    box = await page.get_by_role("slider", name="Position in the session").bounding_box()
    assert box
    y = box["y"] + 20
    left, right = box["x"] + 70, box["x"] + box["width"] - 14
    await page.mouse.move(right if back else left, y)
    await page.mouse.down()
    began = time.monotonic()
    while (share := (time.monotonic() - began) / seconds) < 1:
        at = 1 - share if back else share
        await page.mouse.move(left + (right - left) * at, y)
        await asyncio.sleep(max(0.0, 1 / 60 - (time.monotonic() - began - share * seconds)))
    await page.mouse.up()


async def memory(page: Page) -> Memory:
    """After everything that nobody refers to was given back."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.enable")
    for _ in range(3):
        await session.send("HeapProfiler.collectGarbage")
        await asyncio.sleep(0.2)
    heap = await session.send("Runtime.getHeapUsage")
    bitmaps = await _bitmaps(session)
    await session.detach()
    return Memory(heap["usedSize"] / 1e6, await _renderers_mb(page), bitmaps)


async def _bitmaps(session: CDPSession) -> int:
    """Bitmaps that exist and are not closed."""
    kind = await session.send("Runtime.evaluate", {"expression": "ImageBitmap.prototype"})
    alive = await session.send("Runtime.queryObjects", {"prototypeObjectId": kind["result"]["objectId"]})
    counted = await session.send(
        "Runtime.callFunctionOn",
        {
            "objectId": alive["objects"]["objectId"],
            "functionDeclaration": "function () { return this.filter((each) => each.width > 0).length; }",
            "returnByValue": True,
        },
    )
    return int(counted["result"]["value"])


async def _renderers_mb(page: Page) -> float:
    """Memory that belongs to the browser's renderers alone."""
    browser = page.context.browser
    assert browser
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    pids = [each["id"] for each in told["processInfo"] if each["type"] == "renderer"]
    return float(sum(psutil.Process(pid).memory_full_info().uss for pid in pids)) / 1e6
