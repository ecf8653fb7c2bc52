"""What the tests read off a replay page, and what the recording says should be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, expect

from tests.browser.visitor import Visitor
from tests.browser.world import World

#: mean difference of a colour channel (0..255) between the stage and a picture, on a coarse grid
DIFFERENCE = """async ([url, grid]) => {
    const coarse = (source) => {
        const canvas = new OffscreenCanvas(grid, grid);
        const pen = canvas.getContext("2d");
        pen.imageSmoothingQuality = "high";
        pen.drawImage(source, 0, 0, grid, grid);
        return pen.getImageData(0, 0, grid, grid).data;
    };
    const answer = await fetch(url);
    const picture = coarse(await createImageBitmap(await answer.blob()));
    const stage = coarse(document.querySelector(".screen"));
    return stage.reduce((sum, value, at) => sum + Math.abs(value - picture[at]), 0) / stage.length;
}"""

#: centre of what the stage shows beyond the picture, in shares of its width and height; null: nothing
CENTRE_OF_MARKS = """async (url) => {
    const stage = document.querySelector("canvas.screen");
    const { width, height } = stage;
    const pixels = (source) => {
        const pen = new OffscreenCanvas(width, height).getContext("2d");
        pen.imageSmoothingQuality = "high";
        pen.drawImage(source, 0, 0, width, height);
        return pen.getImageData(0, 0, width, height).data;
    };
    const answer = await fetch(url);
    const picture = pixels(await createImageBitmap(await answer.blob())), shown = pixels(stage);
    let [sum, x, y] = [0, 0, 0];
    for (let at = 0; at < shown.length; at += 4) {
        let weight = 0;
        for (const channel of [0, 1, 2]) weight += Math.abs(shown[at + channel] - picture[at + channel]);
        if (weight < 150) continue;
        sum += weight;
        x += weight * ((at / 4) % width);
        y += weight * Math.floor(at / 4 / width);
    }
    return sum ? [x / sum / width, y / sum / height] : null;
}"""


PAINTED = "() => performance.getEntriesByName('playhead:first-frame').length > 0"


@dataclass
class Recording:
    """A session's timeline; moments are ms of session time, as in `?t=`."""

    session_id: str
    timeline: dict[str, Any]

    @classmethod
    def of(cls, world: World, session_id: str) -> Recording:
        """As the API tells it."""
        return cls(session_id, world.program.get(f"/api/v1/replays/{session_id}/timeline").json())

    @property
    def replay(self) -> dict[str, Any]:
        """The session's own members."""
        found: dict[str, Any] = self.timeline["replay"]
        return found

    def moment(self, device_ms: int) -> int:
        """A time of the device as session time."""
        return int(device_ms + self.replay["clock_offset_ms"] - self.replay["started_ms"])

    @property
    def pictures(self) -> list[tuple[int, str]]:
        """(moment, address) of each."""
        frames = self.timeline["frames"]
        names = frames.get("same") or range(len(frames["t"]))
        times = frames["t"]
        return [
            (self.moment(at_ms), f"/api/v1/replays/{self.session_id}/frames/{times[name]}?clock=device")
            for at_ms, name in zip(times, names, strict=True)
        ]

    def picture_at(self, moment: int) -> str:
        """Address of the last picture not after that moment."""
        return [address for at, address in self.pictures if at <= moment][-1]

    def track(self, name: str) -> list[dict[str, Any]]:
        """Rows of one track; `t` as a moment."""
        columns = self.timeline["tracks"].get(name, {"t": []})
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return [{**row, "t": self.moment(row["t"])} for row in rows]


@dataclass
class ReplayPage:
    """The player at one session."""

    visitor: Visitor
    recording: Recording

    @property
    def slider(self) -> Locator:
        """The timeline."""
        return self.visitor.page.get_by_role("slider", name="Position in the session")

    async def open(self, query: str = "") -> None:
        """With its first picture there, and all that steers it."""
        await self.visitor.open(f"/replays/{self.recording.session_id}{query}")
        for mark in ("first-frame", "ready"):
            await self.visitor.comes_true(f"performance.getEntriesByName('playhead:{mark}').length")

    async def shows(self, address: str) -> None:
        """The stage comes to show this picture, give or take touches on it."""
        await self.visitor.comes_true(f"async (given) => (await ({DIFFERENCE})(given)) < 6", [address, 12])

    async def differs_from(self, address: str) -> float:
        """How much the stage differs from a picture: below 6 it is that picture."""
        return float(await self.visitor.page.evaluate(DIFFERENCE, [address, 12]))

    async def second(self) -> int:
        """Where the playhead is, s."""
        return int(await self.slider.get_attribute("aria-valuenow") or -1)

    async def at(self, second: int) -> None:
        """Wait until the playhead is there."""
        await self.visitor.comes_true(
            "second => document.querySelector('[role=slider]')?.ariaValueNow === String(second)", second
        )

    async def panel(self, title: str) -> Locator:
        """The panel of this tab, once it is shown."""
        tab = self.visitor.page.get_by_role("tab", name=re.compile(f"^{title}"))
        await tab.click()
        await expect(tab).to_have_attribute("aria-selected", "true")
        return self.visitor.page.get_by_role("tabpanel")
