"""What outlives a process: late files, crash files, archives left on disk."""

from __future__ import annotations

import pytest

from client.devices import Platform
from client.script import Background, Crash, CrashSend, Ending
from messages import Limits, walk
from tests.client.conftest import Player, script, taps
from tests.client.taker import Taker, form, plain


def crash(at_ms: int, send: CrashSend) -> Crash:
    return Crash(at_ms, "NSRangeException", "index 3 beyond bounds", "frame 1\nframe 2", send)


async def test_ios_sends_the_last_batch_late_when_leaving_found_no_network(iphone: Player) -> None:
    taker = Taker(rule=lambda kind, n: 0 if kind == "i" and n >= 2 else None)
    await iphone.play(taker, script(taps(12), 12), patience_ms=0)
    unsent = taker.batches()[-1]
    assert unsent.frames[-1].type == 102

    taker.rule = lambda kind, n: None
    await iphone.play(taker, script(taps(6), 6))
    (late,) = taker.of("late")
    assert late.session == 1002
    assert "Content-Encoding" not in late.request.headers
    assert "Content-Type" not in late.request.headers
    assert walk(late.request.body, Limits()).frames == unsent.frames
    assert iphone.phone.late_file is None
    background = (102, unsent.frames[-1].timestamp, unsent.frames[-1].body)
    assert background in iphone.report.acknowledged(1001)
    assert background not in iphone.report.attempted(1002)


async def test_ios_deletes_the_late_file_when_its_batch_arrived(iphone: Player) -> None:
    await iphone.play(Taker(), script(taps(12), 12))
    assert iphone.phone.late_file is None


@pytest.mark.parametrize("platform", list(Platform))
async def test_a_crash_is_one_bare_message_sent_late_by_the_next_launch(platform: Platform) -> None:
    player, taker = Player(platform), Taker()
    steps = [*taps(20), crash(18_000, CrashSend.UNSENT)]
    await player.play(taker, script(steps, 30))
    assert player.report.sessions[1001].crashed
    assert not any(frame.type == 97 for batch in taker.batches() for frame in batch.frames)

    await player.play(taker, script(taps(6), 6))
    (late,) = taker.of("late")
    frames = walk(plain(late.request), Limits()).frames
    assert [frame.type for frame in frames] == [97]
    assert ("Content-Encoding" in late.request.headers) == (platform is Platform.ANDROID)
    assert any(content[0] == 97 for content in player.report.acknowledged(1001))


@pytest.mark.parametrize(
    ("send", "deliveries"), [(CrashSend.UNSURE, ["i", "late"]), (CrashSend.ANSWERED, ["i"])]
)
async def test_a_dying_process_sends_its_crash_alone(
    android: Player, send: CrashSend, deliveries: list[str]
) -> None:
    taker = Taker()
    await android.play(taker, script([*taps(20), crash(18_000, send)], 30))
    await android.play(taker, script(taps(6), 6))
    found = [
        kind
        for kind in ("i", "late")
        for batch in taker.batches(kind)
        if [frame.type for frame in batch.frames] == [97]
    ]
    assert found == deliveries
    (sent,) = [message for message in android.report.messages if message.type == 97]
    assert sent.attempts == len(deliveries)
    assert sent.deliveries == {1001: True}


async def test_what_waited_in_memory_dies_with_the_process(iphone: Player) -> None:
    taker = Taker()
    await iphone.play(taker, script(taps(13), 13, Ending.KILLED))
    lost = iphone.report.lost()
    assert lost
    assert all(message.attempts == 0 for message in lost)


async def test_android_sends_left_over_archives_under_the_next_token(android: Player) -> None:
    taker = Taker(rule=lambda kind, n: 503 if kind == "images" else None)
    await android.play(taker, script(taps(25), 25), patience_ms=0)
    waiting = [upload.filename for upload in android.phone.archives]
    assert len(waiting) == 3
    assert all(name.startswith("1001-") for name in waiting)

    tried = len(taker.of("images"))
    taker.rule = lambda kind, n: None
    await android.play(taker, script(taps(12), 12))
    strays = [taken for taken in taker.of("images")[tried:] if form(taken.request).filename in waiting]
    assert [form(taken.request).filename for taken in strays] == waiting
    assert {taken.session for taken in strays} == {1002}
    assert android.report.pictures_of(1001).total() == 25


async def test_ios_sends_tar_labelled_frames_after_the_background(iphone: Player) -> None:
    taker = Taker()
    await iphone.play(taker, script([*taps(70), Background(30_000, 10_000)], 80))
    forms = [form(taken.request) for taken in taker.of("images")]
    assert [each.tar for each in forms] == [False, True, True]
    assert {each.values["type"] for each in forms} == {"frames"}
    assert [each.filename.partition(".")[2] for each in forms] == ["gz", "tar.gz", "tar.gz"]
    assert forms[0].filename == "1001-0.gz"
    assert forms[1].filename == f"1001-{forms[0].archive.frames[-1].at_ms}.tar.gz"
    assert len([picture for picture in iphone.report.pictures if not picture.attempts]) >= 9


async def test_ios_uses_tar_without_a_label_when_the_server_knows_no_frames(iphone: Player) -> None:
    taker = Taker(frames_support=False)
    await iphone.play(taker, script(taps(25), 25))
    (only,) = [form(taken.request) for taken in taker.of("images")]
    assert only.tar
    assert only.values == {"projectKey": "key"}
    assert only.part_type == "gzip"


async def test_android_archives_are_tars_of_webp_named_after_their_last_picture(android: Player) -> None:
    taker = Taker()
    await android.play(taker, script(taps(35), 35))
    forms = [form(taken.request) for taken in taker.of("images")]
    assert [len(each.archive.frames) for each in forms] == [10, 10, 10, 5]
    assert {frame.format for each in forms for frame in each.archive.frames} == {"webp"}
    for each in forms:
        assert each.tar
        assert each.part_type == "application/gzip"
        assert each.filename == f"1001-{each.archive.frames[-1].at_ms}.tar.gz"
    received = sorted(frame.at_ms for each in forms for frame in each.archive.frames)
    assert received == sorted(at_ms for at_ms, _ in android.report.pictures_of(1001))


async def test_refused_ios_archives_are_sent_again_in_order(iphone: Player) -> None:
    taker = Taker(rule=lambda kind, n: 500 if kind == "images" and n < 4 else None)
    await iphone.play(taker, script(taps(65), 65))
    names = [form(taken.request).filename for taken in taker.of("images")]
    assert names[:5] == ["1001-0.gz"] * 5
    assert iphone.report.pictures_of(1001).total() == 60
