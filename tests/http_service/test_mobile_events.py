"""What a phone's session leaves in the query API: an event per message kind, on both clocks, and its findings."""

from __future__ import annotations

from random import Random
from typing import Any

from client.devices import DEVICES, Platform
from client.phone import Phone
from client.report import Report
from client.scenes import Scene
from client.script import Crash, CrashSend, Emit, Freeze, Script, Show, Vitals
from client.sdk_model import Options
from client.simulation import launch
from client.transport import HttpTransport, Reply, Request
from client.virtual_clock import VirtualClock
from events.times import parse_time
from messages import Message, encode, encode_batch
from messages.schema import (
    MobileClickEvent,
    MobileEvent,
    MobileGraphQL,
    MobileInputEvent,
    MobileLog,
    MobileMetadata,
    MobileNetworkCall,
    MobileSwipeEvent,
    MobileUserAnonymousID,
    MobileUserID,
    MobileViewComponentEvent,
)
from playhead.wiring import wall_clock
from storage.segment_file import Record
from tests.http_service.conftest import ADMIN, Site
from tests.http_service.test_events_api import URL
from tests.http_service.test_replays_api import API, finalize

SKEW_MS = 3_600_000  # the phone's clock is an hour fast
DEVICE_MS = wall_clock() - 600_000 + SKEW_MS
TAP = MobileClickEvent("UIButton 'Buy'", 10, 20)
SENT: dict[int, Message] = {
    1_000: MobileUserID("ana"),
    1_100: MobileUserAnonymousID("anon"),
    1_200: MobileMetadata("plan", "pro"),
    1_300: MobileEvent("purchase", '{"sum":5}'),
    1_400: MobileViewComponentEvent("Cart", "CartView", True),
    1_500: MobileInputEvent("***", True, "Card"),
    1_600: MobileSwipeEvent("List", 5, 6, "up"),
    1_700: MobileNetworkCall("request", "GET", "https://api.example.com/cart?x=1", "{}", "[]", 500, 84),
    1_800: MobileGraphQL("query", "Cart", "{}", "{}", 30),
    1_900: MobileLog("info", "not an event"),
    3_000: TAP,
    3_200: TAP,
    3_400: TAP,
}
#: category -> names of its events in order, and members of the data of the first
EXPECTED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "user": (["ana", "anon"], {"ID": "ana"}),
    "metadata": (["plan"], {"Key": "plan", "Value": "pro"}),
    "custom": (["purchase"], {"Name": "purchase", "Payload": '{"sum":5}'}),
    "view": (["Cart"], {"ScreenName": "Cart", "ViewName": "CartView", "Visible": True}),
    "input": (["Card"], {"Label": "Card", "Value": "***", "ValueMasked": True}),
    "swipe": (["List"], {"X": 5, "Y": 6, "Direction": "up"}),
    "network": (["https://api.example.com/cart?x=1"], {"Method": "GET", "Status": 500, "Duration": 84}),
    "graphql": (["Cart"], {"OperationKind": "query", "OperationName": "Cart"}),
    "click": (["UIButton 'Buy'"] * 3, {"Label": "UIButton 'Buy'", "X": 10, "Y": 20}),
}


class InStep(HttpTransport):
    """The server's clock goes on as the phone's does, an hour behind it."""

    def __init__(self, site: Site, device: VirtualClock) -> None:
        super().__init__(site.client, "http://test")
        self._site, self._device = site, device
        self.records = 0

    async def send(self, request: Request) -> Reply:
        self._site.clock.ahead_ms = self._device() - SKEW_MS - wall_clock()
        reply = await super().send(request)
        self.records += reply.ok and request.method == "POST"
        return reply


def a_script(*steps: Emit | Crash | Freeze, duration_ms: int = 8_000) -> Script:
    return Script(duration_ms, (Show(0, Scene("shop", "Home")), *steps), Vitals(7, 6, 4_000_000))


async def play(site: Site, *scripts: Script) -> tuple[list[int], int]:
    """Launches of one iPhone, processed -> their session ids, and how many records they made."""
    clock = VirtualClock(DEVICE_MS)
    phone, report, network = Phone(DEVICES[Platform.IOS][0], Random(5)), Report(), InStep(site, clock)
    for script in scripts:
        await launch(phone, script, Options("shop", screenshots=False), network, clock, report)
        await clock.advance_to(clock() + 20_000)
    await site.work(network.records)
    return list(report.sessions), network.records


async def listed(site: Site, session_id: int, **more: Any) -> list[dict[str, Any]]:
    params = {"project": "shop", "session_id": str(session_id), **more}
    got = await site.client.get(URL, params=params, headers=ADMIN)
    assert got.status_code == 200, got.text
    found: list[dict[str, Any]] = got.json()["events"]
    return found


async def test_each_message_kind_is_a_category_on_both_clocks(site) -> None:
    (session_id,), _ = await play(site, a_script(*(Emit(at, each) for at, each in SENT.items())))
    for recorded in (False, True):
        if recorded:
            await finalize(site)
        replay = (await site.client.get(f"{API}/{session_id}", headers=ADMIN)).json()
        assert -SKEW_MS <= replay["clock_offset_ms"] < -SKEW_MS + 1_000
        sent = [at for at, message in SENT.items() if not isinstance(message, MobileLog)]
        everything = [each for each in await listed(site, session_id) if each["category"] in EXPECTED]
        by_sdk = {"viewAppeared", "viewDisappeared"}
        assert len([each for each in everything if each["name"] not in by_sdk]) == len(sent)
        for category, (names, data) in EXPECTED.items():
            found = await listed(site, session_id, category=category, source="mobile")
            assert [each["name"] for each in found] == names, category
            assert {name: found[0]["data"][name] for name in data} == data
            for each in found:
                device_us = parse_time(each["client_timestamp"])
                assert device_us // 1000 - DEVICE_MS in sent
                away_us = parse_time(each["timestamp"]) - device_us - replay["clock_offset_ms"] * 1000
                # of a live session by the best that was known of its clock when the event came
                assert away_us == 0 if recorded else 0 <= away_us < 1_000_000
                assert (each["source"], each["project"]) == ("mobile", "shop")
        issues = [each["name"] for each in await listed(site, session_id, category="issue")]
        assert issues == (["tap_rage"] if recorded else [])
    assert replay["device"]["model"] == DEVICES[Platform.IOS][0].model


async def test_findings_are_events_that_late_data_change(site) -> None:
    crash = Crash(6_000, "NSRangeException", "index 3", "0 Shop main", CrashSend.UNSENT)
    taps = [Emit(at, TAP) for at in (3_000, 3_200, 3_400)]
    (first, second), records = await play(site, a_script(*taps, crash), a_script())
    assert [each["name"] for each in await listed(site, first, category="crash")] == ["NSRangeException"]
    await finalize(site)
    rage, stop = await listed(site, first, category="issue")
    assert (rage["name"], rage["data"]["taps"]) == ("tap_rage", 3)
    assert (stop["name"], stop["data"]["title"]) == ("crash", "NSRangeException: index 3")
    assert parse_time(stop["client_timestamp"]) - parse_time(rage["client_timestamp"]) == 3_000_000
    assert await listed(site, second, category="issue") == []

    tapped_ms = parse_time(rage["client_timestamp"]) // 1000
    late = [encode(TAP, timestamp=tapped_ms + away) for away in (600, 800)]
    project = await site.services.projects.by_key("shop")
    await site.services.journal.append(
        Record(
            "batch", project.project_id, first, site.clock() * 1000, {"plt": "ios"},
            encode_batch(500, site.clock() + SKEW_MS, late),
        )
    )  # fmt: skip
    await site.work(records + 1)
    await finalize(site)
    issues = await listed(site, first, category="issue")
    assert [(each["name"], each["data"].get("taps")) for each in issues] == [("tap_rage", 5), ("crash", None)]
    assert issues[0]["id"] == rage["id"]
    assert len(await listed(site, first, category="click")) == 5


async def test_a_stuck_main_thread_a_failing_host_and_a_slow_screen_are_findings(site) -> None:
    calls = [
        Emit(
            2_000 + n * 500,
            MobileNetworkCall("request", "GET", "https://api.example.com/cart", "", "", 503, 90),
        )
        for n in range(5)
    ]
    slow = [
        Emit(8_000, TAP),
        Emit(
            11_500, MobileNetworkCall("request", "POST", "https://pay.example.com/order", "", "", 201, 3_300)
        ),
        Emit(11_600, MobileViewComponentEvent("Order", "OrderView", True)),
    ]
    script = a_script(*calls, *slow, Freeze(24_000, 64_000), duration_ms=100_000)
    (session_id,), _ = await play(site, script)
    await finalize(site)
    found = (await site.client.get(f"{API}/{session_id}", headers=ADMIN)).json()["issues"]
    assert [each["type"] for each in found] == ["network_error_burst", "slow_screen", "anr"]
    burst, wait, stuck = found
    assert (burst["title"], burst["detail"]["calls"]) == ("5 failed calls to api.example.com", 5)
    assert (wait["title"], wait["detail"]["wait_ms"]) == ("Order took 3.6 s after Buy", 3_600)
    assert stuck["detail"]["screen"] == "Order" and 60_000 <= stuck["detail"]["gap_ms"] <= 75_000
    for issue in ("network_error_burst", "slow_screen", "anr"):
        query = {"project": "shop", "issue": issue}
        listed = (await site.client.get(API, params=query, headers=ADMIN)).json()["replays"]
        assert [each["session_id"] for each in listed] == [str(session_id)]
