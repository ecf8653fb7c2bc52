"""Exports: the same session as JSON, text, page and video, live and recorded; hostile texts stay texts."""

from __future__ import annotations

import base64
import gzip
import io
import re
import struct
from typing import Any

import av
import orjson
import pytest
from PIL import Image

from messages import encode
from messages.schema import (
    MobileClickEvent,
    MobileCrash,
    MobileEvent,
    MobileInputEvent,
    MobileLog,
    MobileMetadata,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileSwipeEvent,
    MobileViewComponentEvent,
)
from playhead.errors import Overloaded, Unprocessable
from sessions.export import Exporter
from sessions.export.html_page import thinned
from sessions.export.video import TOUCH_MS, Touch, moments_of, touch_scale
from sessions.export.words import printable, since
from sessions.recording import StoredFrame
from tests.flows.rig import NOW_MS, Rig, open_rig

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e{{x}}${1}"


def picture(size: tuple[int, int], colour: tuple[int, int, int], form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


def shots() -> list[tuple[int, bytes]]:
    """One a second, the third again, then sideways, then one that is none."""
    tall = [picture((118, 256), (80 * n, 20, 200 - 60 * n)) for n in range(3)]
    wide = picture((256, 118), (10, 200, 10), "PNG")
    all_of_them = [*tall, tall[2], wide, b"\xff\xd8\xff no picture"]
    return [(NOW_MS + 1000 * n, data) for n, data in enumerate(all_of_them)]


async def record(rig: Rig) -> int:
    session_id = await rig.start(width=59, height=128, device_name="iPhone 15", os="IOS", os_version="17.4")
    framed = [
        encode(MobileMetadata("plan", EVIL), timestamp=NOW_MS + 10),
        encode(MobileViewComponentEvent("Cart", "V", True), timestamp=NOW_MS + 20),
        encode(MobileEvent("buy", EVIL), timestamp=NOW_MS + 30),
        encode(MobileClickEvent(EVIL, 30, 64), timestamp=NOW_MS + 1500),
        encode(MobileSwipeEvent("list", 10, 20, "up"), timestamp=NOW_MS + 1600),
        encode(MobileInputEvent("4242 4242", True, "Card"), timestamp=NOW_MS + 1700),
        encode(MobilePerformanceEvent("background", 1), timestamp=NOW_MS + 1800),
        encode(MobilePerformanceEvent("background", 1), timestamp=NOW_MS + 1850),
        encode(MobilePerformanceEvent("memoryUsage", 5_000), timestamp=NOW_MS + 1860),
        encode(MobileLog("error", f"first {EVIL}\nsecond\x1b[2J"), timestamp=NOW_MS + 1900),
        encode(
            MobileNetworkCall("request", "POST", "https://api/pay", "{}", "{}", 500, 120),
            timestamp=NOW_MS + 2000,
        ),
        encode(MobileCrash("Boom", EVIL, "0 App main\n1 App </script>"), timestamp=NOW_MS + 5200),
    ]
    await rig.batch(session_id, framed, at_ms=NOW_MS + 6000, meta_ms=NOW_MS + 6000)
    chain = gzip.compress(b"".join(struct.pack("<QI", at, len(data)) + data for at, data in shots()))
    body = (
        b'--B\r\nContent-Disposition: form-data; name="batch"; filename="%d-0.gz"\r\n\r\n' % session_id
    ) + chain
    meta = {"content_type": "multipart/form-data; boundary=B", "plt": "ios"}
    await rig.append("images", session_id, body + b"\r\n--B--\r\n", meta=meta, at_ms=NOW_MS + 6000)
    await rig.work()
    return session_id


async def export(rig: Rig, session_id: int, format: str, exporter: Exporter | None = None) -> bytes:
    chosen = exporter or rig.services.exporter
    found = await chosen.open(await rig.session(session_id), format, "shop")
    assert found.filename == f"replay-{session_id}.{'txt' if format == 'text' else format}"
    return b"".join([chunk async for chunk in found.chunks])


async def test_live_and_recorded_are_the_same_file(rig) -> None:
    session_id = await record(rig)
    live = {format: await export(rig, session_id, format) for format in ("json", "text", "html", "mp4")}
    await rig.record(session_id)
    ready = {format: await export(rig, session_id, format) for format in live}
    changed = {"status": "ready"}
    for format, was in live.items():
        if format == "json":
            before, after = orjson.loads(was), orjson.loads(ready["json"])
            assert before["messages"] == after["messages"]
            assert before["replay"] | changed | {"completeness": 0} == after["replay"] | {"completeness": 0}
        else:
            assert len(was) == len(ready[format]), format
    shown = (await rig.services.replays.messages(await rig.session(session_id), limit=1000)).messages
    assert [each["index"] for each in after["messages"]] == [each.index for each in shown]


async def test_the_text_tells_what_happened_and_nothing_of_it_moves_a_terminal(rig) -> None:
    session_id = await record(rig)
    text = (await export(rig, session_id, "text")).decode()
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    lines = [re.sub(" +", " ", line.strip()) for line in text.splitlines()]
    assert "Device iPhone 15" in " ".join(lines)
    assert any(line.startswith("00:00.020 view Cart") for line in lines)
    assert any(line.startswith("00:01.500 tap </script>") and line.endswith("at 30, 64") for line in lines)
    assert "00:01.600 swipe list up at 10, 20" in lines
    assert "00:01.700 input Card: •••" in lines
    assert sum("In background: left" in line for line in lines) == 1
    assert not any("Memory" in line for line in lines)
    place = next(n for n, line in enumerate(lines) if " log error: first" in line)
    assert lines[place + 1] == "second�[2J"
    assert "00:02.000 network POST https://api/pay → 500 in 120 ms" in lines
    assert lines[-1] == "1 App </script>"


async def test_the_page_holds_everything_as_data(rig) -> None:
    session_id = await record(rig)
    page = (await export(rig, session_id, "html")).decode()
    blocks = re.findall(r"<script type=\"([^\"]+)\" id=\"(\w+)\"[^>]*>([^<]*)</script>", page)
    assert len(blocks) == page.count("<script type=") == page.count("<script") - 1
    data = {name: text for _, name, text in blocks}
    about, events = orjson.loads(data["told"]), orjson.loads(data["events"])
    assert [at for at, _ in about["frames"]] == [0, 1000, 2000, 3000, 4000, 5000]
    assert [number for _, number in about["frames"]] == [0, 1, 2, 2, 3, 4]
    assert [base64.b64decode(data[f"p{n}"]) for n in range(5)] == list(dict(shots()).values())[:3] + [
        data for _, data in shots()[4:]
    ]
    assert ["Metadata plan", EVIL] in about["facts"]
    assert [1500, "tap", f"{EVIL} at 30, 64", "", 30, 64] in events
    for source, kind in (("script", r"<script>(.*?)</script>\n</body>"), ("style", r"<style>(.*?)</style>")):
        content = re.search(kind, page, re.DOTALL)
        assert content
        import hashlib

        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{source}-src &#x27;sha256-{digest}&#x27;" in page
    assert "default-src &#x27;none&#x27;" in page


def frames_of(content: bytes) -> tuple[list[float], list[Any], str]:
    """Times in s, pictures, codec."""
    with av.open(io.BytesIO(content), "r") as file:
        stream = file.streams.video[0]
        decoded = list(file.decode(stream))
        images: list[Any] = [frame.to_image() for frame in decoded]  # type: ignore[no-untyped-call]
        return [frame.time or 0.0 for frame in decoded], images, stream.codec_context.name


def near(colour: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(colour, wanted, strict=True))


async def test_the_video_shows_pictures_at_their_times_and_touches_on_them(rig) -> None:
    session_id = await record(rig)
    times, images, codec = frames_of(await export(rig, session_id, "mp4"))
    assert codec == "h264"
    assert [round(each, 2) for each in times] == [0, 1, 1.5, 1.6, 2, 2.1, 3, 4, 5, 6]
    assert {image.size for image in images} == {(118, 256)}
    assert near(images[0].getpixel((60, 128)), (0, 20, 200))
    assert near(images[1].getpixel((60, 128)), (80, 20, 140))
    assert near(images[4].getpixel((110, 250)), (160, 20, 80))
    # a tap at (30, 64) points of 59 x 128 is in the middle of the picture; half a second later it is gone
    assert not near(images[2].getpixel((60, 128)), (80, 20, 140))
    assert near(images[5].getpixel((60, 128)), (160, 20, 80))
    # the phone was turned: the picture is fitted in, black above and below
    assert near(images[7].getpixel((60, 128)), (10, 200, 10))
    assert near(images[7].getpixel((60, 20)), (0, 0, 0))
    assert near(images[8].getpixel((60, 128)), (10, 200, 10))  # what is no picture changes nothing


async def test_what_cannot_be_filmed_is_said(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, [encode(MobileEvent("x", ""), timestamp=NOW_MS)])
    await rig.work()
    with pytest.raises(Unprocessable, match="no picture"):
        await export(rig, session_id, "mp4")
    assert b'"every":1' in await export(rig, session_id, "html")
    session_id = await record(rig)
    for max_bytes, timeout_s, said in ((100, 60, "larger"), (10**9, 0.001, "longer")):
        exporter = Exporter(rig.services.replays, max_bytes=max_bytes, timeout_s=timeout_s)
        with pytest.raises(Unprocessable, match=said):
            await export(rig, session_id, "mp4", exporter)
        async with exporter._filming:
            with pytest.raises(Overloaded):
                await export(rig, session_id, "mp4", exporter)


def test_pictures_are_thinned_until_they_fit() -> None:
    frames = [StoredFrame(n * 1000, 0, 100 * (n // 2), 100, "jpeg") for n in range(1000)]  # each twice
    assert thinned(frames, 50_000) == (frames, 1)
    chosen, step = thinned(frames, 5_000)
    assert chosen == frames[::step]
    assert 2_500 < 100 * len({frame.offset for frame in chosen}) <= 5_000
    assert thinned([], 5) == ([], 1)
    assert len(thinned(frames, 1)[0]) == 1


def test_moments_change_when_something_does() -> None:
    touches = [Touch(5, 1, 1), Touch(150, 2, 2), Touch(160, 3, 3)]
    found = list(moments_of([100, 400, 1000], touches))
    assert [each.at_ms for each in found] == [100, 150, 160, 400, 650, 660, 1000, 2000]
    assert [each.picture for each in found] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert [len(each.touches) for each in found] == [0, 1, 2, 2, 1, 0, 0, 0]
    assert found[-1].at_ms - 1000 == 1000 and TOUCH_MS == 500
    assert list(moments_of([], touches)) == []


@pytest.mark.parametrize(
    ("platform", "device", "shown", "scale"),
    [
        ("ios", (393, 852), (1179, 2556), 3),
        ("ios", (852, 393), (1179, 2556), 3),
        ("ios", (1024, 1366), (400, 1366), 1.25),
        ("ios", (0, 0), (500, 1000), 1.25),
        ("android", (1080, 2400), (540, 1100), 0.5),
        ("android", (0, 0), (540, 1100), 1),
    ],
)
def test_touches_are_scaled_as_their_platform_sends_them(platform, device, shown, scale) -> None:
    assert touch_scale(platform, device, shown) == scale


def test_times_and_letters() -> None:
    assert [since(ms, 0) for ms in (0, 61_005, 3_600_000, -5)] == [
        "00:00.000",
        "01:01.005",
        "1:00:00.000",
        "-00:00.005",
    ]
    assert printable("a\tb\x1b[0m\u202ec") == "a b�[0m�c"
