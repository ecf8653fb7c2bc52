"""The player in a real browser: to the first picture, scrubbing, lists of 10 and of 100,000 sessions.

    python -m benchmarks.bench_browser [--data FOLDER] [--sessions 100000] [--runs 9] [--sweeps 3] [--part open …]

Its own server (`playhead serve`: one HTTP process, one worker) and the installed Chromium, headless, without a GPU; a
fresh browser context each time, so nothing comes from a cache. Bare: the browser opens one of the pictures by itself,
from the same server. `--data` keeps what is looked at for the next run; `--part fill` makes it and measures nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page

from benchmarks import machine
from benchmarks.browser_data import LONG_LIST, SHORT_LIST, WATCHED, Made, database, made_in, settings_of
from benchmarks.browser_measures import (
    BARE_PAINTED,
    PLAYER_PAINTED,
    READY,
    found,
    frames_during,
    median_of,
    memory,
    painted,
    painted_from_list,
    sweep,
    visit,
)
from tests.browser import chromium
from tests.playhead.program import Program

PARTS: Final = ("fill", "open", "scrub", "list")
SCROLL_S: Final = 8
LOAD_S: Final = 150  # at most
PAGE_ROWS: Final = 100  # a list that is shorter does not scroll far
#: when the first row was there to be drawn; asked for before the page has begun
ROWS: Final = """() => {
    const look = (now) => {
        if (document.querySelector("[data-session]")) window.rows_ms = performance.now();
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    addEventListener("keydown", () => { window.pressed_ms = performance.now(); }, { capture: true });
}"""
#: since the last key, once the list shows what the address asks for
ANSWERED: Final = """async ([query, text]) => {
    const there = () => location.search.includes(query)
        && document.querySelector(".table")?.ariaBusy === "false"
        && document.querySelector("[data-session]")?.textContent.includes(text);
    while (!there()) await new Promise(requestAnimationFrame);
    return performance.now() - pressed_ms;
}"""
#: scrolls by so many px a frame; -> the last row of the page then
SCROLLED: Final = """async ([seconds, px]) => {
    const began = performance.now();
    while (performance.now() - began < seconds * 1000) {
        scrollBy(0, px);
        await new Promise(requestAnimationFrame);
    }
    return Number([...document.querySelectorAll("[data-session]")].at(-1).dataset.index) + 1;
}"""
#: to the end again and again, for so long or until nothing more comes; -> rows then
LOADED: Final = """async (seconds) => {
    const began = performance.now();
    const rows = () => Number(document.querySelector(".table").ariaRowCount);
    while (performance.now() - began < seconds * 1000 && rows() < 0) {
        scrollTo(0, document.documentElement.scrollHeight);
        await new Promise(requestAnimationFrame);
    }
    return Number([...document.querySelectorAll("[data-session]")].at(-1).dataset.index) + 1;
}"""
#: what dragging the bar does: along everything that is loaded and back; -> frames that showed a place without a row
DRAGGED: Final = """async (seconds) => {
    const began = performance.now();
    const most = document.documentElement.scrollHeight - innerHeight;
    let blank = 0;
    for (let share = 0; share < 1; share = (performance.now() - began) / (seconds * 1000)) {
        scrollTo(0, most * (1 - Math.abs(1 - 2 * share)));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const { top, bottom } = document.querySelector(".rows").getBoundingClientRect();
        const at = innerHeight / 2;
        blank += top < at && at < bottom && !document.elementFromPoint(innerWidth / 2, at)?.closest("[data-session]");
    }
    return blank;
}"""


async def opening(browser: Browser, url: str, made: Made, runs: int) -> None:
    """To the first picture and to the whole page, in turn with the bare picture: an address opened cold and again, a
    row of the list.
    """
    addresses = {
        "bare picture": (f"/api/v1/replays/{made.one_hour}/frames/{made.picture_ms}", BARE_PAINTED),
        "session of five minutes": (f"/replays/{made.five_minutes}", PLAYER_PAINTED),
        "session of one hour": (f"/replays/{made.one_hour}", PLAYER_PAINTED),
        "one hour, in the middle": (f"/replays/{made.one_hour}?t=1800000", PLAYER_PAINTED),
    }
    spent: dict[str, list[float]] = {}
    ready: dict[str, list[float]] = {}
    requests: dict[str, int] = {}

    async def once(page: Page, name: str, address: str, script: str) -> None:
        took, requests[name] = await painted(page, address, script)
        spent.setdefault(name, []).append(took)
        if script == PLAYER_PAINTED:
            ready.setdefault(name, []).append(float(await found(page, READY)))

    for _ in range(runs):
        for name, (path, script) in addresses.items():
            async with visit(browser, url) as page:
                await once(page, name, url + path, script)
                if script == PLAYER_PAINTED:
                    await page.goto("about:blank")
                    await once(page, f"{name}, again", url + path, script)
        for name, session_id in (("five minutes", made.five_minutes), ("one hour", made.one_hour)):
            async with visit(browser, url) as page:
                name = f"{name}, from the list"
                found_in = await painted_from_list(page, f"{url}/?project={WATCHED}", session_id)
                spent.setdefault(name, []).append(found_in[0])
                ready.setdefault(name, []).append(found_in[1])
                requests[name] = found_in[2]
    bare = statistics.median(spent["bare picture"])
    print(
        f"navigation, or a click, to the first picture; {runs} runs each, in turn; pictures of {made.kb:.0f} kB"
    )
    for name, times in spent.items():
        median = statistics.median(times)
        whole = f", whole page {statistics.median(ready[name]):.0f} ms" if name in ready else ""
        print(
            f"  {name:<32}{median:>7.0f} ms   {min(times):.0f}..{max(times):.0f} ms, {requests[name]} requests, "
            f"{median / bare:.1f} times bare{whole}"
        )


async def scrubbing(browser: Browser, url: str, made: Made, sweeps: int, seconds: float) -> None:
    """Along the whole hour, forth and back, with a look at the memory after each sweep."""
    print(f"scrubbing along one hour of 3,600 pictures and 100,000 messages in {seconds:g} s")
    async with visit(browser, url) as page:
        await painted(page, f"{url}/replays/{made.one_hour}", PLAYER_PAINTED)
        await page.get_by_role("tab").first.wait_for()
        await page.wait_for_timeout(2_000)
        still = await frames_during(page, lambda: page.wait_for_timeout(2_000))
        print(f"  nothing moves    {still}")
        print(f"  before           {await memory(page)}")
        for number in range(sweeps):
            seen = await frames_during(page, partial(sweep, page, seconds, back=number % 2 > 0))
            await page.wait_for_timeout(1_000)
            print(f"  sweep {number + 1}          {seen}")
            print(f"    after it       {await memory(page)}")


async def listing(browser: Browser, url: str, runs: int, sessions: int) -> None:
    """The same with few and with many sessions."""
    for key, number in ((SHORT_LIST, 10), (LONG_LIST, sessions)):
        user = f"user-{min(4_242, number - 4)}@"

        async def first(path: str = f"{url}/?project={key}") -> float:
            async with visit(browser, url) as page:
                return await _opened(page, path)

        async def filtered(path: str = f"{url}/?project={key}") -> float:
            async with visit(browser, url) as page:
                await _opened(page, path)
                for word in ("country", "Japan"):
                    if word == "country":
                        await page.keyboard.press("f")
                    await page.keyboard.type(word)
                    await page.get_by_role("dialog").get_by_role("option").first.wait_for()
                    await page.wait_for_timeout(700)
                    await page.keyboard.press("Enter")
                return float(await page.evaluate(ANSWERED, ["country=JP", "user-"]))

        async def searched(path: str = f"{url}/?project={key}", user: str = user) -> float:
            async with visit(browser, url) as page:
                await _opened(page, path)
                await page.get_by_label("Search sessions").focus()
                await page.keyboard.type(user)
                return float(await page.evaluate(ANSWERED, ["text=user", user]))

        print(f"list of {number:,} sessions")
        print(f"  navigation to rows         {await median_of(runs, first):>7.0f} ms")
        print(f"  filter chosen to rows      {await median_of(runs, filtered):>7.0f} ms")
        print(
            f"  text typed to its row      {await median_of(runs, searched):>7.0f} ms, 250 of them waited for more"
        )
        await _scrolling(browser, url, key)


async def _scrolling(browser: Browser, url: str, key: str) -> None:
    """Steadily, to the end of all pages, and by the scrollbar along everything."""
    said: list[Any] = []

    async def scroll(page: Page, script: str, given: object) -> None:
        said.append(await page.evaluate(script, given))

    async with visit(browser, url) as page:
        await _opened(page, f"{url}/?project={key}")
        await page.wait_for_timeout(1_000)
        print(f"  before scrolling           {await memory(page)}")
        seen = await frames_during(page, partial(scroll, page, SCROLLED, [SCROLL_S, 150]))
        rows = await page.locator("[data-session]").count()
        print(f"  steadily, {SCROLL_S} s              {seen}; to row {said[-1]:,}, {rows} rows in the page")
        print(f"    after it                 {await memory(page)}")
        if said[-1] < PAGE_ROWS:
            return
        seen = await frames_during(page, partial(scroll, page, LOADED, LOAD_S))
        took_s = sum(seen.gaps) / 1000
        print(f"  to the end, {took_s:.0f} s           {seen}; {said[-1]:,} rows loaded")
        print(f"    after it                 {await memory(page)}")
        for _ in range(2):
            seen = await frames_during(page, partial(scroll, page, DRAGGED, SCROLL_S))
            rows = await page.locator("[data-session]").count()
            print(
                f"  scrollbar, {SCROLL_S} s             {seen}; {said[-1]} frames blank, {rows} rows in the page"
            )
            print(f"    after it                 {await memory(page)}")


async def _opened(page: Page, address: str) -> float:
    """From the start of the navigation to the first row, ms."""
    await page.add_init_script(f"({ROWS})()")
    await page.goto(address, wait_until="commit")
    return float(await found(page, "() => window.rows_ms ?? null"))


async def run(folder: Path, chosen: argparse.Namespace) -> None:
    """Fill, serve, look."""
    made = await made_in(folder, chosen.sessions)
    parts = set(chosen.part) - {"fill"}
    path = chromium.find()
    if path is None:
        raise SystemExit(chromium.HOW_TO_GET)
    if not parts:
        return
    async with database(folder) as dsn, chromium.launched(path) as browser:
        values = settings_of(folder, dsn) | {"log_level": "error"}
        data_dir = Path(values.pop("data_dir"))
        program = Program(data_dir, "serve", settings={name: str(each) for name, each in values.items()})
        try:
            url = (await asyncio.to_thread(program.await_ready)).url
            async with visit(browser, url) as page:
                await painted(
                    page, f"{url}/replays/{made.five_minutes}", PLAYER_PAINTED
                )  # everybody is awake
            if "open" in parts:
                await opening(browser, url, made, chosen.runs)
            if "scrub" in parts:
                await scrubbing(browser, url, made, chosen.sweeps, chosen.seconds)
            if "list" in parts:
                await listing(browser, url, chosen.runs, chosen.sessions)
        finally:
            await asyncio.to_thread(program.close)


def main() -> None:
    """Entry."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--sessions", type=int, default=100_000)
    arguments.add_argument("--runs", type=int, default=9)
    arguments.add_argument("--sweeps", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    chosen = arguments.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    print(f"machine: {machine.describe()}, Chromium headless without a GPU")
    with tempfile.TemporaryDirectory(dir=os.getcwd(), prefix="bench-") as folder:
        asyncio.run(run(chosen.data or Path(folder), chosen))


if __name__ == "__main__":
    main()
