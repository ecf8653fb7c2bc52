"""What a page lets the browser ask for ahead is what its app then reads."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from playwright.async_api import Route

from tests.browser.visitor import TIMEOUT_MS, Visitor
from tests.storage.journals import until

AHEAD = re.compile(r'<link rel="preload"[^>]* href="([^"]+)"[^>]*>')


@pytest.mark.parametrize(
    ("path", "addresses"), [("/", 2), ("/issues", 2), ("/replays/{}", 4), ("/replays/{}?t=20000", 4)]
)
async def test_what_is_asked_for_ahead_is_read(visitor: Visitor, path: str, addresses: int) -> None:
    await visitor.sign_in()
    ahead: set[str] = set()
    asked: set[str] = set()

    async def asks_for_nothing_ahead(route: Route) -> None:
        page = await route.fetch()
        text = await page.text()
        ahead.update(urljoin(route.request.url, address) for address in AHEAD.findall(text))
        await route.fulfill(response=page, body=AHEAD.sub("", text))

    address = path.format(visitor.world.shop["ios"])
    await visitor.page.route(visitor.world.url + address, asks_for_nothing_ahead)
    visitor.page.on("request", lambda request: asked.add(request.url))
    await visitor.open(address)

    async def read() -> bool:
        return ahead <= asked

    await until(read, TIMEOUT_MS / 1000)
    assert len(ahead) == addresses
