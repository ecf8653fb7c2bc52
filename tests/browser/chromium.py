"""The installed Chromium, headless, found by name; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

VARIABLE = "PLAYHEAD_TEST_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW_TO_GET = f"no Chromium found: `apt-get install chromium`, or name one in {VARIABLE}"

QUIET = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    # any other name resolves to nothing: a page that asks for another host fails at once
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """Path of the browser that the environment names, else of the first known one on PATH."""
    for name in (environ[VARIABLE],) if environ.get(VARIABLE) else NAMES:
        if path := shutil.which(name):
            return path
    return None


@asynccontextmanager
async def launched(path: str, *arguments: str) -> AsyncIterator[Browser]:
    """A running browser."""
    flags = [*QUIET, *arguments]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # its sandbox refuses to run for root
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags, headless=True)
        try:
            yield browser
        finally:
            await browser.close()
