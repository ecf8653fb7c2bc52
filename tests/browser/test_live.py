"""A session that grows while somebody watches it: what is new arrives, the playhead follows, then it is at rest."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, expect

from client.archives import Shot, ios_upload
from client.report import SentPicture
from messages import Message, encode, encode_batch
from messages.schema import MobileEvent, MobileLog
from playhead.wiring import wall_clock
from tests.browser.replay_page import Recording, ReplayPage
from tests.browser.visitor import Visitor, new_visitor
from tests.browser.world import World, open_world
from tests.storage.journals import until

QUIET_S = 6.0
#: for what takes a look every few seconds, or is played: on a busy machine a screen that is drawn seldom plays slowly
PATIENCE_S = 60
COLOURS = ("darkred", "darkgreen", "darkblue", "gold", "teal", "white")


@dataclass
class SlowPhone:
    """Sends what it is told when it is told, by the SDK's own requests."""

    world: World
    project: str
    taken: int = 0
    session_id: str = ""
    token: str = ""

    def start(self) -> None:
        body = {"projectKey": self.project, "trackerVersion": "1.0.14", "timestamp": wall_clock()}
        body |= {"userDevice": "iPhone15,2", "width": 393, "height": 852}
        answer = httpx.post(f"{self.world.url}/v1/mobile/start", json=body, trust_env=False)
        told = answer.raise_for_status().json()
        self.session_id, self.token = told["sessionID"], told["token"]

    def say(self, message: Message) -> None:
        """It happens now."""
        now_ms = wall_clock()
        batch = encode_batch(0, now_ms, [encode(message, timestamp=now_ms)])
        self._post("i", gzip.compress(batch), "application/octet-stream")

    def show(self) -> None:
        """An archive of three pictures of the last two seconds, each of the next colour."""
        now_ms, session_id = wall_clock(), int(self.session_id)
        shots = []
        for ago_ms in (1_600, 800, 0):
            out = io.BytesIO()
            Image.new("RGB", (196, 426), COLOURS[self.taken]).save(out, "JPEG")
            self.taken += 1
            sent = SentPicture(now_ms - ago_ms, "", "jpeg", out.tell(), session_id)
            shots.append(Shot(sent, out.getvalue()))
        upload = ios_upload(session_id, now_ms, self.taken, shots, frames=True, labelled=True)
        content_type, body = upload.form(self.project, Random(self.taken))
        self._post("images", body, content_type)

    def _post(self, name: str, body: bytes, content_type: str) -> None:
        url = f"{self.world.url}/v1/mobile/{name}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        httpx.post(url, content=body, headers=headers, trust_env=False).raise_for_status()

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[None]:
        """Says something every second, so that the session does not end however long this takes."""

        async def talk() -> None:
            while True:
                await asyncio.to_thread(self.say, MobileLog("info", f"at {wall_clock()}"))
                await asyncio.sleep(1)

        talking = asyncio.create_task(talk())
        try:
            yield
        finally:
            talking.cancel()

    async def recording(self, pictures: int) -> Recording:
        """What the server knows once it has so many pictures."""
        path = f"/api/v1/replays/{self.session_id}/frames"

        async def there() -> bool:
            answer = await asyncio.to_thread(self.world.program.get, path)
            return answer.is_success and len(answer.json()["frames"]) == pictures

        await until(there)
        return Recording.of(self.world, self.session_id)


@pytest_asyncio.fixture(loop_scope="session")
async def watcher(
    browser: Browser, browser_path: str, postgres_dsn: str, tmp_path: Path
) -> AsyncIterator[Visitor]:
    """Signed in at a server where sessions end soon."""
    world = open_world(tmp_path / "live", postgres_dsn, session_quiet_s=QUIET_S)
    try:
        async with new_visitor(browser, world) as somebody:
            await somebody.sign_in()
            yield somebody
    finally:
        world.program.close()


async def test_a_live_session_grows_is_followed_and_comes_to_rest(watcher: Visitor) -> None:
    world, page = watcher.world, watcher.page
    badge = page.locator(".badge", has_text="Live")
    follower = page.get_by_role("button", name="Live", exact=True)
    phone = SlowPhone(world, world.new_project())
    phone.start()
    async with phone.awake():
        await asyncio.sleep(2)  # the pictures are of the time since the start
        phone.say(MobileEvent("first_words", "{}"))
        phone.show()
        before = await phone.recording(3)
        player = ReplayPage(watcher, before)
        await player.open()
        events = await player.panel("Events")
        await expect(badge).to_be_visible()
        await expect(follower).to_have_attribute("aria-pressed", "true")
        await expect(events).to_contain_text("first_words", timeout=PATIENCE_S * 1000)
        await player.shows(before.pictures[-1][1])
        await watcher.axe()

        phone.say(MobileEvent("second_thoughts", "{}"))
        phone.show()
        after = await phone.recording(6)
        await expect(events).to_contain_text("second_thoughts", timeout=PATIENCE_S * 1000)
        await until(lambda: is_from(player, after.pictures[-1][0]), PATIENCE_S)
        await player.shows(after.pictures[-1][1])
        assert await player.differs_from(before.pictures[-1][1]) > 12, "these pictures must differ"
        await expect(follower).to_have_attribute("aria-pressed", "true")

        # who looks back is left there
        await player.slider.press("Home")
        await expect(follower).to_have_attribute("aria-pressed", "false")
        await page.keyboard.press("k")
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        place = await player.second()
        assert place < after.pictures[-1][0] // 1000 - 1
        phone.say(MobileEvent("last_words", "{}"))
        third = page.get_by_role("tab", name=re.compile("^Events 3"))
        await expect(third).to_be_visible(timeout=PATIENCE_S * 1000)
        await expect(follower).to_have_attribute("aria-pressed", "false")
        assert await player.second() == place

        await page.keyboard.press("l")
        await expect(follower).to_have_attribute("aria-pressed", "true")

    # it has ended, what was followed is played to its end
    await expect(badge).to_have_count(0, timeout=PATIENCE_S * 1000)
    await expect(follower).to_have_count(0)
    at_rest = Recording.of(world, phone.session_id)
    assert at_rest.replay["status"] == "ready"
    await until(lambda: is_from(player, at_rest.replay["duration_ms"]), PATIENCE_S)
    await expect(page.get_by_role("button", name="Play again")).to_be_visible()
    await expect(events).to_contain_text("last_words")


async def is_from(player: ReplayPage, moment: int) -> bool:
    """Whether the playhead has come to a moment, or beyond it."""
    return await player.second() >= moment // 1000
