"""Visits are plausible: taps hit what is drawn, secrets are masked, seeds repeat, wishes come true."""

from __future__ import annotations

import io
import itertools

import pytest
from PIL import Image

from client.devices import DEVICES, Device, Platform
from client.scenario import Wishes, make_script
from client.scenes import Scene, touchable
from client.screens import draw, layout
from client.script import Background, Crash, CrashSend, Emit, Freeze, Script, Show
from client.simulation import Plan, Simulation
from messages.schema import MobileClickEvent, MobileInputEvent, MobileNetworkCall, MobilePerformanceEvent
from tests.client.taker import Taker

EVERYTHING = Wishes(
    crash=CrashSend.UNSURE, background_ms=9_000, freeze_ms=65_000, rage=True, rotate=True, errors=True
)
ALL = [device for platform in Platform for device in DEVICES[platform]]


def taps_with_scenes(script: Script) -> list[tuple[Scene, MobileClickEvent]]:
    scene, found = None, []
    for step in script.steps:
        if isinstance(step, Show):
            scene = step.scene
        elif isinstance(step, Emit) and isinstance(step.message, MobileClickEvent):
            assert scene is not None
            found.append((scene, step.message))
    return found


@pytest.mark.parametrize("device", ALL, ids=lambda device: device.model)
@pytest.mark.parametrize("app", ["shop", "bank"])
def test_every_tap_hits_the_widget_that_it_names(device: Device, app: str) -> None:
    for seed in range(5):
        script = make_script(device, seed, 4, Wishes(app=app, rage=True, rotate=True, errors=True))
        taps = taps_with_scenes(script)
        assert len(taps) > 10
        for scene, tap in taps:
            width, height = device.width, device.height
            if scene.landscape:
                width, height = height, width
            x, y = tap.x / device.density, tap.y / device.density
            hit = [
                widget.label(device.platform)
                for widget in touchable(layout(scene, device.width, device.height), width, height)
                if widget.x - 1 <= x <= widget.x + widget.width + 1
                and widget.y - 1 <= y <= widget.y + widget.height + 1
            ]
            assert tap.label in hit


def test_the_same_seed_gives_the_same_script() -> None:
    device = ALL[0]
    assert make_script(device, 11, 3) == make_script(device, 11, 3)
    assert make_script(device, 11, 3) != make_script(device, 12, 3)


@pytest.mark.parametrize("device", [ALL[0], ALL[-1]], ids=lambda device: device.platform)
def test_wishes_come_true(device: Device) -> None:
    script = make_script(device, 3, 5, EVERYTHING)
    kinds = {type(step) for step in script.steps}
    assert {Background, Freeze, Crash} <= kinds
    messages = [step.message for step in script.steps if isinstance(step, Emit)]
    calls = [message for message in messages if isinstance(message, MobileNetworkCall)]
    assert any(call.status >= 400 for call in calls)
    turns = [m for m in messages if isinstance(m, MobilePerformanceEvent) and m.name == "orientation"]
    assert len(turns) >= 3
    taps = [
        (step.at_ms, step.message.label)
        for step in script.steps
        if isinstance(step, Emit) and isinstance(step.message, MobileClickEvent)
    ]
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(taps) if a[1] == b[1]]
    assert sum(gap <= 300 for gap in gaps) >= 3
    assert max(step.at_ms for step in script.steps) <= script.duration_ms


def test_secure_fields_are_masked() -> None:
    inputs = [
        step.message
        for seed in range(6)
        for step in make_script(ALL[0], seed, 5, Wishes(app="bank" if seed % 2 else "shop")).steps
        if isinstance(step, Emit) and isinstance(step.message, MobileInputEvent)
    ]
    assert {message.value for message in inputs if message.value_masked} == {"***"}
    assert all(
        message.value_masked == (message.label in {"PIN", "TAN", "Card number", "CVC"}) for message in inputs
    )


def test_pictures_have_the_sizes_of_the_sdks_and_are_not_blank() -> None:
    scene = Scene("shop", "Home")
    ios = Image.open(io.BytesIO(draw(scene, 393, 852, "jpeg")))
    android = Image.open(io.BytesIO(draw(scene, 412, 915, "webp")))
    assert (ios.format, ios.size) == ("JPEG", (491, 1065))
    assert (android.format, min(android.size)) == ("WEBP", 480)
    assert len(ios.convert("RGB").getcolors(1_000_000) or []) > 1_000
    turned = Image.open(io.BytesIO(draw(Scene("shop", "Home", landscape=True), 393, 852, "jpeg")))
    assert turned.size == (1065, 491)


async def test_a_plan_gives_exactly_that_many_sessions_of_its_platform() -> None:
    for platform in (Platform.IOS, Platform.ANDROID, None):
        taker = Taker()
        simulation = Simulation.of(
            Plan("key", sessions=5, minutes=0.3, seed=9, platform=platform, screenshots=False)
        )
        report = await simulation.run(taker, lambda: 1_750_000_000_000)
        assert len(report.sessions) == 5
        platforms = {session.platform for session in report.sessions.values()}
        assert platforms == ({platform} if platform else set(Platform))
        assert simulation.played_share == 1.0
        assert report.to_json()["lost_messages"] == len(report.lost())
