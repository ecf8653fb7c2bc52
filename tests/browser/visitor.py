"""A person at the player: a page whose every complaint is kept, and what one does with it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

from tests.browser.world import World
from tests.storage.journals import until

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TIMEOUT_MS = 15_000
#: the page is drawn in this theme and nothing changes its colour any more, which one transition may hand to the next
THEME_SHOWN = """async (theme) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    while (!matchMedia(`(prefers-color-scheme: ${theme})`).matches) await frame();
    for (let still = 0; still < 3; still += 1) {
        await frame();
        const going = document.getAnimations().filter((each) => each instanceof CSSTransition);
        if (going.length) still = 0;
        await Promise.allSettled(going.map((each) => each.finished));
    }
}"""
GRAVE = ("serious", "critical")
#: asking who is signed in is answered 401 until somebody is; the browser logs each such answer
NOT_SIGNED_IN = re.compile(r"status of 401")
#: what was asked for ahead is to be read within 3 s: a busy machine takes longer. That it is read, test_ahead.py shows
NOT_READ_YET = re.compile(r"preloaded using link preload but not used within a few seconds")


@dataclass
class Visitor:
    """`page` on `world`; `faults` holds console errors, exceptions and requests to other hosts."""

    page: Page
    context: BrowserContext
    world: World
    faults: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=lambda: [NOT_SIGNED_IN, NOT_READ_YET])

    def watch(self) -> None:
        """Keep what goes wrong from now on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._fault(f"exception: {error.stack or error}"))
        self.context.on("request", self._on_request)
        self.page.on("dialog", self._on_dialog)

    def expect(self, pattern: str) -> None:
        """This fault is part of the test."""
        self.expected.append(re.compile(pattern))

    def _fault(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self.expected):
            self.faults.append(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._fault(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    async def _on_dialog(self, dialog: Dialog) -> None:
        self._fault(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.world.url + "/", "blob:", "data:")):
            self._fault(f"request to another host: {request.url}")

    async def open(self, path: str = "/") -> None:
        """Go to a page of the player."""
        await self.page.goto(self.world.url + path)

    async def sign_in(self, key: str = "") -> None:
        """With a key (the admin's by default), without the form."""
        answer = await self.context.request.post(
            self.world.url + "/api/v1/sign-in", data={"key": key or self.world.program.admin_key}
        )
        assert answer.ok, await answer.text()

    async def comes_true(self, script: str, given: object = None) -> None:
        """Wait until a function of the page gives something true. (The driver's own wait needs `eval`, which the
        page's policy forbids.)
        """

        async def asked() -> bool:
            return bool(await self.page.evaluate(script, given))

        await until(asked, TIMEOUT_MS / 1000)

    async def axe(self, *rules_off: str) -> None:
        """No serious or critical finding of axe in what the page shows now."""
        await self.page.evaluate(AXE.read_text("utf-8"))
        options = {
            "resultTypes": ["violations"],
            "preload": False,
            "rules": {name: {"enabled": False} for name in rules_off},
        }
        found: dict[str, Any] = await self.page.evaluate("options => axe.run(document, options)", options)
        grave = [
            f"{each['id']} ({each['impact']}): {node['html'][:200]} – {node['failureSummary'][:300]}"
            for each in found["violations"]
            if each["impact"] in GRAVE
            for node in each["nodes"]
        ]
        assert not grave, "\n".join(grave)

    async def no_sideways_scroll(self) -> None:
        """The page is not wider than the window."""
        widths = await self.page.evaluate(
            "() => [document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths[0] <= widths[1], f"page {widths[0]} px wide in a window of {widths[1]} px"

    async def theme(self, name: str) -> None:
        """What the system prefers: light or dark."""
        assert name in ("light", "dark")
        await self.page.emulate_media(color_scheme=name)  # type: ignore[arg-type]
        await self.page.evaluate(THEME_SHOWN, name)


@asynccontextmanager
async def new_visitor(browser: Browser, world: World) -> AsyncIterator[Visitor]:
    """Somebody who has never been here; whatever the pages complained of fails the test at the end."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    somebody = Visitor(await context.new_page(), context, world)
    somebody.watch()
    try:
        yield somebody
        assert not somebody.faults, "\n".join(somebody.faults)
    finally:
        await context.close()
