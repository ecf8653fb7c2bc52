"""The player: the picture of the moment, playing, seeking, touches in their place, live sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.replay_page import CENTRE_OF_MARKS, Recording, ReplayPage
from tests.browser.test_sessions import HUGE, NARROW
from tests.browser.visitor import Visitor


@pytest_asyncio.fixture(loop_scope="session")
async def ios(visitor: Visitor) -> ReplayPage:
    await visitor.sign_in()
    return ReplayPage(visitor, Recording.of(visitor.world, visitor.world.shop["ios"]))


@pytest_asyncio.fixture(loop_scope="session")
async def android(visitor: Visitor) -> ReplayPage:
    await visitor.sign_in()
    return ReplayPage(visitor, Recording.of(visitor.world, visitor.world.shop["android"]))


async def test_the_picture_of_the_moment_however_one_gets_there(ios: ReplayPage) -> None:
    page, recording = ios.visitor.page, ios.recording
    length_s = recording.replay["duration_ms"] // 1000
    await ios.open("?t=20000")
    await ios.at(20)
    await ios.shows(recording.picture_at(20_000))
    others = [await ios.differs_from(address) for _, address in recording.pictures[::5]]
    assert max(others) > 12, "these pictures must differ"

    await page.keyboard.press("ArrowRight")
    await ios.at(25)
    await ios.shows(recording.picture_at(25_000))
    await page.keyboard.press("Home")
    await ios.at(0)
    await page.keyboard.press("Shift+ArrowRight")
    await ios.at(30)
    await page.keyboard.press("5")
    await ios.at(recording.replay["duration_ms"] // 2000)
    box = await ios.slider.bounding_box()
    assert box
    await page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + 5)
    quarter = recording.replay["duration_ms"] // 4000
    await ios.visitor.comes_true(f"{SECOND} >= {quarter - 1}")
    await ios.visitor.comes_true(f"{SECOND} <= {quarter + 1}")

    # picture by picture
    after = [moment for moment, _ in recording.pictures if moment > 0]
    await page.keyboard.press("Home")
    for key in "...,":
        await page.keyboard.press(key)
    await ios.at(after[1] // 1000)

    # the address keeps the moment
    await page.keyboard.press("End")
    await page.wait_for_url(f"**t={recording.replay['duration_ms']}*")
    await page.reload()
    await ios.at(length_s)


async def test_the_picture_of_the_moment_is_there_before_the_app_and_before_the_timeline(
    ios: ReplayPage,
) -> None:
    page, recording = ios.visitor.page, ios.recording
    app, timeline = asyncio.Event(), asyncio.Event()
    await page.route("**/app.js", _held_until(app))
    await page.route("**/timeline", _held_until(timeline))
    await ios.visitor.open(f"/replays/{recording.session_id}?t=20000")
    still, canvas = page.locator("img.screen"), page.locator("canvas.screen")
    await expect(still).to_be_visible()
    assert await ios.differs_from(recording.picture_at(20_000)) < 10, "the browser scales it in its own way"
    await expect(canvas).to_have_count(0)
    await ios.visitor.axe("document-title")
    first = await still.bounding_box()
    app.set()
    await expect(canvas).to_be_visible()
    await ios.shows(recording.picture_at(20_000))
    await expect(still).to_have_count(0)
    await expect(ios.slider).to_have_count(0)
    await ios.visitor.axe()
    place = await canvas.bounding_box()
    assert place == first, "nothing moves"
    timeline.set()
    await ios.at(20)
    await ios.shows(recording.picture_at(20_000))
    assert place
    await expect(page.get_by_role("tab").first).to_be_visible()
    now = await page.locator("canvas.screen").bounding_box()
    assert now and abs(now["x"] - place["x"]) < 40, "it stays where it was, but for what is said of gaps"


def _held_until(let_go: asyncio.Event) -> Callable[[Route], Awaitable[None]]:
    async def late(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    return late


async def test_a_picture_that_does_not_come_holds_up_nothing(ios: ReplayPage) -> None:
    page = ios.visitor.page
    never = asyncio.Event()
    await page.route("**/opening*", _held_until(never))
    address = f"{ios.visitor.world.url}/replays/{ios.recording.session_id}?t=20000"
    await page.goto(address, wait_until="commit")
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await expect(page.locator("img.screen")).to_have_count(0)
    never.set()
    await ios.at(20)
    await ios.shows(ios.recording.picture_at(20_000))


SECOND = "() => Number(document.querySelector('[role=slider]').ariaValueNow)"


async def test_playing_to_the_end_and_again(android: ReplayPage) -> None:
    page, recording = android.visitor.page, android.recording
    length_ms = recording.replay["duration_ms"]
    await android.open("?t=2000")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await android.visitor.comes_true(f"{SECOND} >= 4")
    await page.keyboard.press("k")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    stopped = await android.second()
    await android.shows(recording.picture_at(stopped * 1000))

    await page.get_by_label("Speed").select_option("16")
    await page.get_by_role("button", name="Play", exact=True).click()
    await android.at(length_ms // 1000)
    await expect(page.get_by_role("button", name="Play again")).to_be_visible()
    await expect(page.get_by_text("The app crashed")).to_be_visible()
    await page.get_by_role("button", name="Play again").click()
    await android.visitor.comes_true(f"{SECOND} < {length_ms / 2000}")


async def test_issues_are_jumped_to(ios: ReplayPage) -> None:
    page = ios.visitor.page
    moments = [ios.recording.moment(each["t"]) for each in ios.recording.timeline["issues"]]
    assert moments
    await ios.open()
    await page.keyboard.press("i")
    await ios.at(moments[0] // 1000)
    await page.keyboard.press("Home")
    await page.get_by_role("button", name="Tap rage").click()
    await ios.at(moments[0] // 1000)


async def test_the_background_is_told_and_skipped(ios: ReplayPage) -> None:
    page = ios.visitor.page
    states = [row for row in ios.recording.track("performance") if row["name"] == "background"]
    left = next(row["t"] for row in states if row["value"] == 1)
    back = next(row["t"] for row in states if row["t"] > left)
    await ios.open(f"?t={left + (back - left) // 2}")
    await expect(page.get_by_text("App in background for")).to_be_visible()
    await page.keyboard.press("s")
    await page.keyboard.press("Space")
    await ios.visitor.comes_true(f"{SECOND} >= {back // 1000}")
    await expect(page.get_by_text("App in background for")).to_be_hidden()


def turned_sideways(recording: Recording) -> list[int]:
    """Moments at which the phone was turned."""
    states = [row for row in recording.track("performance") if row["name"] == "orientation"]
    return [row["t"] for row in states if row["value"] in (3, 4)]


async def test_touches_are_where_they_were(ios: ReplayPage) -> None:
    await touches_are_where_they_were(ios)


async def test_touches_are_where_they_were_in_pixels(android: ReplayPage) -> None:
    await touches_are_where_they_were(android)


#: an earlier picture may stand in until the right one is decoded
CENTRED = f"""async ([address, x, y]) => {{
    const found = await ({CENTRE_OF_MARKS})(address);
    return found !== null && Math.abs(found[0] - x) < 0.03 && Math.abs(found[1] - y) < 0.03;
}}"""


async def touches_are_where_they_were(player: ReplayPage) -> None:
    """Taps far from other touches: what is drawn beyond the picture is centred on the place of the tap."""
    recording = player.recording
    device = recording.replay["device"]
    touched = sorted(row["t"] for track in ("taps", "swipes") for row in recording.track(track))
    upright_until = next(iter(turned_sideways(recording)), recording.replay["duration_ms"])
    alone = [
        tap
        for tap in recording.track("taps")
        if 1_000 < tap["t"] < upright_until - 1_000
        and sum(tap["t"] - 1_000 <= other <= tap["t"] + 150 for other in touched) == 1
    ]
    assert len(alone) >= 2, (touched, upright_until)
    for tap in alone[:3]:
        await player.open(f"?t={tap['t'] + 150}")
        address = recording.picture_at(tap["t"] + 150)
        await player.shows(address)
        place = [tap["x"] / device["width"], tap["y"] / device["height"]]
        await player.visitor.comes_true(CENTRED, [address, *place])


async def test_a_turned_phone_is_drawn_turned(ios: ReplayPage) -> None:
    sideways = turned_sideways(ios.recording)[0]
    picture = next(moment for moment, _ in ios.recording.pictures if moment > sideways + 200)
    shape = "document.querySelector('canvas.screen').getBoundingClientRect()"
    await ios.open("?t=1000")
    assert await ios.visitor.page.evaluate(f"{shape}.width < {shape}.height")
    await ios.open(f"?t={picture}")
    await ios.shows(ios.recording.picture_at(picture))
    await ios.visitor.comes_true(f"() => {shape}.width > {shape}.height")


async def test_what_is_typed_is_told_and_masked_where_it_was(android: ReplayPage) -> None:
    page = android.visitor.page
    inputs = android.recording.track("inputs")
    for masked in (False, True):
        typed = next(row for row in inputs if row["value_masked"] is masked)
        await android.open(f"?t={typed['t'] + 100}")
        await expect(page.locator(".caption")).to_contain_text("•••" if masked else typed["value"])


async def test_hovering_shows_the_picture_of_that_moment(ios: ReplayPage) -> None:
    page = ios.visitor.page
    await ios.open()
    box = await ios.slider.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 5)
    card = page.locator(".timeline-card")
    await expect(card).to_be_visible()
    half = ios.recording.replay["duration_ms"] // 2
    await expect(card).to_contain_text(f"{half // 60_000}:{half // 1000 % 60:02}")
    assert await ios.second() < 5


async def test_every_width_and_theme(ios: ReplayPage) -> None:
    page = ios.visitor.page
    await ios.open("?t=20000")
    await expect(page.get_by_role("tab").first).to_be_visible()
    for size in (NARROW, HUGE):
        await page.set_viewport_size(size)
        await ios.visitor.no_sideways_scroll()
        await ios.shows(ios.recording.picture_at(20_000))
        inside = await page.evaluate("""() => {
            const stage = document.querySelector("canvas.screen").getBoundingClientRect();
            return stage.width > 100 && stage.left >= 0 && stage.right <= innerWidth;
        }""")
        assert inside, size
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Play or pause")
    for theme in ("light", "dark"):
        await ios.visitor.theme(theme)
        await ios.visitor.axe()
    await page.keyboard.press("Escape")
    for theme in ("light", "dark"):
        await ios.visitor.theme(theme)
        await ios.visitor.axe()
