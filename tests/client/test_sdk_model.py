"""The model does what both SDKs do: batches, indices, requeueing, starting, expired tokens."""

from __future__ import annotations

import itertools
import json

import pytest

from client.devices import Platform
from client.outbox import Outbox
from client.report import SentMessage
from client.script import Emit, Freeze
from client.transport import Faults, FlakyTransport
from messages import Layout, decode
from messages.schema import MobileLog
from tests.client.conftest import Player, script, taps
from tests.client.taker import Taker, plain


@pytest.fixture(params=list(Platform))
def player(request: pytest.FixtureRequest) -> Player:
    """Both SDKs."""
    return Player(request.param)


async def test_every_message_arrives_in_batches_numbered_from_zero(player: Player) -> None:
    taker = Taker()
    await player.play(taker, script(taps(32), 32))
    expected = 0
    for batch in taker.batches():
        meta, *messages = batch.frames
        assert (meta.type, meta.index, batch.tail) == (107, expected, None)
        expected += len(messages)
    assert taker.stored(1001) == set(player.report.acknowledged(1001))
    assert player.report.lost() == []
    labels = [m for m in player.report.acknowledged(1001) if m[0] == 100]
    assert len(labels) == 32


async def test_batches_go_every_five_seconds_compressed_and_authorized(player: Player) -> None:
    taker = Taker()
    await player.play(taker, script(taps(21), 21))
    times = [batch.meta_ms or 0 for batch in taker.batches()]
    regular = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert regular.count(5_000) >= 3
    headers = taker.of("i")[0].request.headers
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Authorization"] == "Bearer 1001"


async def test_refused_batches_return_to_the_head_and_are_grouped_and_numbered_anew(player: Player) -> None:
    taker = Taker(rule=lambda kind, n: 503 if kind == "i" and n < 3 else None)
    await player.play(taker, script(taps(30), 30))
    batches = taker.batches()
    assert [batch.frames[0].index for batch in batches[:4]] == sorted(
        {b.frames[0].index for b in batches[:4]}
    )
    first, fourth = batches[0].frames[1:], batches[3].frames[1:]
    assert [frame.body for frame in fourth[: len(first)]] == [frame.body for frame in first]
    assert batches[3].frames[0].index == sum(len(batch.frames) - 1 for batch in batches[:3])
    assert len(fourth) > len(first)
    assert taker.stored(1001) == set(player.report.acknowledged(1001))
    assert sum(exchange.repeats for exchange in player.report.sessions[1001].exchanges) > 0


async def test_start_is_asked_again_with_the_same_body(player: Player) -> None:
    taker = Taker(rule=lambda kind, n: 500 if kind == "start" and n < 3 else None)
    await player.play(taker, script(taps(30), 30))
    bodies = {taken.request.body for taken in taker.of("start")}
    assert len(taker.of("start")) == 4
    assert len(bodies) == 1
    assert player.report.refused_starts == {500: 3}


async def test_android_gives_up_after_five_retries(android: Player) -> None:
    taker = Taker(rule=lambda kind, n: 0 if kind == "start" else None)
    await android.play(taker, script(taps(600), 600))
    assert [taken.kind for taken in taker.taken] == ["start"] * 6


async def test_ios_asks_until_the_user_leaves(iphone: Player) -> None:
    taker = Taker(rule=lambda kind, n: 403 if kind == "start" else None)
    await iphone.play(taker, script(taps(60), 60))
    assert [taken.kind for taken in taker.taken] == ["start"] * 13


async def test_start_bodies_differ_as_the_sdks_do(iphone: Player, android: Player) -> None:
    bodies = {}
    for name, player in (("ios", iphone), ("android", android)):
        taker = Taker()
        await player.play(taker, script(taps(6), 6))
        bodies[name] = json.loads(taker.of("start")[0].request.body)
    assert "platform" not in bodies["ios"]
    assert bodies["android"]["platform"] == "android"
    assert bodies["ios"]["userUUID"] == bodies["ios"]["userUUID"].upper()
    assert bodies["ios"]["width"] == 393
    assert bodies["android"]["width"] == 1081
    assert bodies["ios"]["projectKey"] == "key"


async def test_ios_starts_a_new_session_on_401_and_sends_the_batch_there(iphone: Player) -> None:
    taker = Taker(rule=lambda kind, n: 401 if kind == "i" and n == 1 else None)
    await iphone.play(taker, script(taps(30), 30))
    assert set(iphone.report.sessions) == {1001, 1002}
    refused = taker.batches()[1].frames[1:]
    resent = next(b for b, t in zip(taker.batches(), taker.of("i"), strict=True) if t.session == 1002).frames[
        1:
    ]
    assert [frame.body for frame in resent[: len(refused)]] == [frame.body for frame in refused]
    assert taker.stored(1002) == set(iphone.report.acknowledged(1002))
    assert iphone.report.lost() == []


async def test_android_keeps_its_token_on_401_for_ever(android: Player) -> None:
    taker = Taker(rule=lambda kind, n: 401 if kind == "i" and n >= 1 else None)
    await android.play(taker, script(taps(40), 40), patience_ms=20_000)
    assert len(taker.of("start")) == 1
    assert {taken.session for taken in taker.of("i")} == {1001}
    assert len(taker.of("i")) > 8
    assert android.report.lost()


async def test_a_full_row_is_flushed_at_once_and_batches_stay_below_half_a_megabyte(player: Player) -> None:
    taker = Taker()
    steps = [Emit(100 + n, MobileLog("info", f"{n:03d}" + "x" * 60_000)) for n in range(20)]
    await player.play(taker, script(steps, 10), screenshots=False)
    sizes = [len(plain(taken.request)) for taken in taker.of("i")]
    assert max(sizes) <= 500_100
    assert sum(size > 350_000 for size in sizes) >= 2
    assert len([m for m in taker.stored(1001) if m[0] == 103]) == 20


def test_what_does_not_fit_is_dropped_as_each_sdk_does() -> None:
    def filled(bounded: bool, count: int, size: int) -> int:
        box = Outbox(bounded=bounded)
        for n in range(count):
            box.add(SentMessage(103, 1_750_000_000_000 + n, bytes(size), 1))
        return len(box)

    assert filled(True, 1, 500_001) == filled(False, 1, 500_001) == 0
    assert (filled(True, 10_050, 1), filled(False, 10_050, 1)) == (10_000, 10_050)
    assert (filled(True, 100, 100_000), filled(False, 100, 100_000)) == (29, 100)


async def test_lost_replies_lead_to_repeats_but_never_to_other_content(player: Player) -> None:
    taker = Taker()
    network = FlakyTransport(taker, Faults(drop=0.1, lose_reply=0.3, refuse=0.1), seed=3)
    await player.play(network, script(taps(120), 120))
    for session in player.report.sessions:
        acknowledged, tried = set(player.report.acknowledged(session)), set(player.report.attempted(session))
        assert acknowledged <= taker.stored(session) <= tried
    assert sum(exchange.repeats for s in player.report.sessions.values() for exchange in s.exchanges) > 10


async def test_several_requests_at_once_lose_nothing(player: Player) -> None:
    taker = Taker(rule=lambda kind, n: 503 if kind == "i" and n % 3 == 0 else None)
    await player.play(taker, script(taps(60), 60), overlap=True)
    assert taker.stored(1001) == set(player.report.acknowledged(1001))
    assert player.report.lost() == []


async def test_a_stuck_main_thread_is_silent(iphone: Player) -> None:
    taker = Taker()
    steps = [*taps(10), Freeze(12_000, 70_000)]
    await iphone.play(taker, script(steps, 100))
    times = sorted(m.timestamp for m in iphone.report.messages)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) >= 70_000


async def test_network_calls_are_laid_out_as_each_sdk_writes_them(player: Player) -> None:
    from messages.schema import MobileNetworkCall

    call = MobileNetworkCall("request", "GET", "/a", '{"body":"q"}', '{"body":"r"}', 404, 120)
    taker = Taker()
    await player.play(taker, script([Emit(100, call)], 6), screenshots=False)
    body = next(m[2] for m in taker.stored(1001) if m[0] == 105)
    layout = Layout.IOS if player.phone.device.platform is Platform.IOS else Layout.ANDROID
    assert decode(105, body, layout) == call
    assert (b"\x00\x00\x01\x94" in body) == (layout is Layout.ANDROID)


async def test_the_same_seed_and_answers_give_the_same_bytes(player: Player) -> None:
    again = Player(player.phone.device.platform)
    sent = []
    for each in (player, again):
        taker = Taker(rule=lambda kind, n: 503 if n % 4 == 1 else None)
        await each.play(taker, script(taps(40), 40))
        sent.append([(t.request.path, t.request.headers, t.request.body) for t in taker.taken])
    assert sent[0] == sent[1]
