"""Rules over a whole recording."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.schema import (
    MobileClickEvent,
    MobileCrash,
    MobileEvent,
    MobileInputEvent,
    MobileLog,
    MobileNetworkCall,
    MobilePerformanceEvent,
    MobileSwipeEvent,
    MobileViewComponentEvent,
)
from sessions.heuristics import find_issues


def tap(at_ms: int, label: str = "Buy") -> tuple[int, MobileClickEvent]:
    return at_ms, MobileClickEvent(label, 1, 2)


def test_three_quick_taps_on_one_label_are_rage() -> None:
    found = find_issues([tap(0), tap(300), tap(600)])
    assert [(f.type, f.at_ms, f.detail) for f in found] == [("tap_rage", 0, {"taps": 3})]


def test_slow_taps_other_labels_and_empty_labels_are_not_rage() -> None:
    assert find_issues([tap(0), tap(301), tap(602)]) == []
    assert find_issues([tap(0), tap(100, "Pay"), tap(200)]) == []
    assert find_issues([tap(0, ""), tap(100, ""), tap(200, "")]) == []


def test_another_message_between_taps_does_not_end_a_burst() -> None:
    assert len(find_issues([tap(0), (50, MobileLog("info", "x")), tap(100), tap(200)])) == 1


def test_two_bursts_are_two_findings() -> None:
    taps = [tap(at) for at in (0, 100, 200, 5000, 5100, 5200)]
    assert [f.at_ms for f in find_issues(taps)] == [0, 5000]


def crash(stack: str, reason: str = "r") -> MobileCrash:
    return MobileCrash("NSException", reason, stack)


def test_a_crash_is_found_once_per_message() -> None:
    found = find_issues([(7, crash("0 App 0x1 main + 4"))])
    assert [(f.type, f.at_ms, f.title) for f in found] == [("crash", 7, "NSException: r")]


def test_crashes_of_other_addresses_and_reasons_group_and_other_stacks_do_not() -> None:
    one, two, other = (
        find_issues([(1, message)])[0]
        for message in (
            crash("0 App 0x0001 main + 12\n1 UIKit 0x9 run + 3"),
            crash("0 App 0xbeef main + 80\n1 UIKit 0x7 run + 5", "else"),
            crash("0 App 0x0001 pay + 12"),
        )
    )
    assert one.fingerprint == two.fingerprint != other.fingerprint


def sample(at_ms: int) -> tuple[int, MobilePerformanceEvent]:
    return at_ms, MobilePerformanceEvent("mainThreadCPU", 20)


def background(at_ms: int, left: bool) -> tuple[int, MobilePerformanceEvent]:
    return at_ms, MobilePerformanceEvent("background", int(left))


SAMPLED = [sample(at) for at in (0, 5_000, 10_000)]


def test_a_minute_without_heartbeat_in_front_is_not_responding() -> None:
    stuck = [*SAMPLED, tap(12_000, "Pay"), sample(72_000)]
    (found,) = find_issues(stuck)
    assert (found.type, found.at_ms, found.title) == ("anr", 12_000, "No sign of life for 60 s after Pay")
    assert found.detail == {"gap_ms": 60_000, "screen": "", "confidence": "medium"}
    assert find_issues([*SAMPLED, tap(12_000), sample(71_999)]) == []


def test_an_app_that_hangs_at_its_start_is_not_responding() -> None:
    """spec/openreplay-mobile.md 3.6: trackers sample at the start; 7: a minute from any heartbeat."""
    for begun in ([sample(0)], [sample(0), (0, MobilePerformanceEvent("memoryUsage", 5)), tap(900, "Pay")]):
        (found,) = find_issues([*begun, sample(begun[-1][0] + 60_000)])
        assert (found.type, found.at_ms, found.detail["gap_ms"]) == ("anr", begun[-1][0], 60_000)


@pytest.mark.parametrize(
    ("between", "confidence"),
    [([(50_000, MobileLog("info", "worker"))], "high"), ([], "low")],
)
def test_not_responding_is_surer_when_the_rest_of_the_app_went_on(between, confidence) -> None:
    (found,) = find_issues([*SAMPLED, *between, sample(80_000)])
    assert found.detail["confidence"] == confidence


def test_silence_at_the_end_counts_as_far_as_something_was_received() -> None:
    assert [f.detail["gap_ms"] for f in find_issues([*SAMPLED, (90_000, MobileLog("info", "x"))])] == [80_000]
    assert find_issues(SAMPLED) == []


def test_silence_in_the_background_after_a_crash_or_without_samples_is_none() -> None:
    assert (
        find_issues([*SAMPLED, background(11_000, True), background(500_000, False), sample(501_000)]) == []
    )
    assert [f.type for f in find_issues([*SAMPLED, (11_000, crash("a")), sample(99_000)])] == ["crash"]
    assert find_issues([tap(0), tap(100_000), tap(200_000), tap(300_000)]) == []


def test_samples_in_the_background_do_not_begin_a_silence() -> None:
    left = [*SAMPLED, background(11_000, True), sample(12_000), (13_000, MobileLog("info", "x"))]
    assert find_issues([*left, background(300_000, False), sample(301_000)]) == []
    (found,) = find_issues([*left, tap(20_000, "Pay"), sample(90_000)])  # its return went missing
    assert (found.at_ms, found.detail["gap_ms"]) == (20_000, 70_000)


def test_a_clock_that_was_set_is_not_silence() -> None:
    assert find_issues([*SAMPLED, sample(10_000 + 31 * 60_000)]) == []


def test_not_responding_groups_by_screen_and_touch() -> None:
    def stuck(screen: str, label: str, at_ms: int) -> bytes:
        shown = (11_000, MobileViewComponentEvent(screen, "V", True))
        return find_issues([*SAMPLED, shown, tap(at_ms, label), sample(at_ms + 70_000)])[0].fingerprint

    assert stuck("Cart", "Pay", 12_000) == stuck("Cart", "Pay", 13_000)
    assert (
        len({stuck("Cart", "Pay", 12_000), stuck("Home", "Pay", 12_000), stuck("Cart", "Buy", 12_000)}) == 3
    )


def call(at_ms: int, status: int, *, host: str = "api.example.com", ms: int = 50):
    return at_ms, MobileNetworkCall("request", "GET", f"https://{host}/x?n={at_ms}", "", "", status, ms)


def test_five_failed_calls_in_a_row_are_a_burst() -> None:
    (found,) = find_issues([call(at, 0 if at else 503) for at in range(0, 5_000, 1_000)])
    assert (found.type, found.at_ms, found.title) == (
        "network_error_burst",
        0,
        "5 failed calls to api.example.com",
    )
    assert found.detail == {"calls": 5, "statuses": {"0": 4, "503": 1}, "span_ms": 4_000}


def test_few_scattered_or_mixed_failures_are_no_burst() -> None:
    assert find_issues([call(at, 500) for at in range(0, 4_000, 1_000)]) == []
    assert find_issues([call(at * 10_001, 500) for at in range(9)]) == []
    assert find_issues([call(at, 500, host=f"h{at}") for at in range(9)]) == []
    mixed = [call(at, 500 if at % 300 == 0 else 200) for at in range(0, 3_000, 100)]
    assert find_issues(mixed) == []


def test_a_single_success_does_not_hide_a_burst() -> None:
    calls = [call(at, 500) for at in (0, 100, 200)] + [call(250, 200)] + [call(at, 500) for at in (300, 400)]
    assert [f.detail["calls"] for f in find_issues(calls)] == [5]


def test_a_burst_that_is_over_is_still_one() -> None:
    calls = [call(at, 503) for at in range(0, 500, 100)] + [call(at, 200) for at in range(1_000, 3_000, 100)]
    assert [f.detail["calls"] for f in find_issues(calls)] == [5]


def test_hosts_have_bursts_of_their_own_and_odd_addresses_none_that_fail() -> None:
    calls = [call(at, 404, host=host) for at in range(0, 500, 100) for host in ("a.example", "b.example")]
    assert len({f.fingerprint for f in find_issues(calls)}) == 2
    odd = [(at, MobileNetworkCall("request", "GET", "http://[::1", "", "", 500, 1)) for at in range(5)]
    assert [f.title for f in find_issues(odd)] == ["5 failed calls to an address without host"]


def screen(at_ms: int, name: str = "Order") -> tuple[int, MobileViewComponentEvent]:
    return at_ms, MobileViewComponentEvent(name, "V", True)


def test_a_screen_that_waited_for_the_network_is_slow() -> None:
    (found,) = find_issues([tap(1_000, "Pay"), call(4_400, 201, ms=3_300), screen(5_200)])
    assert (found.type, found.at_ms, found.title) == ("slow_screen", 1_000, "Order took 4.2 s after Pay")
    assert found.detail == {"wait_ms": 4_200, "on_network_ms": 3_300, "screen": "Order"}


def test_overlapping_calls_are_counted_once_and_only_within_the_wait() -> None:
    calls = [call(4_000, 200, ms=9_000), call(4_500, 200, ms=3_000)]
    (found,) = find_issues([tap(1_000), *calls, screen(6_000)])
    assert found.detail["on_network_ms"] == 3_500


def test_quick_unexplained_or_interrupted_waits_are_not_slow_screens() -> None:
    slow = call(4_000, 200, ms=2_900)
    assert find_issues([tap(1_000), slow, screen(3_999)]) == []
    assert find_issues([tap(1_000), screen(9_000)]) == []
    assert find_issues([tap(1_000), (1_500, MobileSwipeEvent("", 1, 1, "up")), slow, screen(5_000)]) == []
    assert find_issues([tap(1_000), (1_500, MobileInputEvent("x", False, "")), slow, screen(5_000)]) == []
    assert find_issues([tap(1_000), background(1_500, True), slow, screen(5_000)]) == []
    assert find_issues([tap(1_000), slow, (4_100, MobileViewComponentEvent("Order", "V", False))]) == []
    assert find_issues([tap(1_000), slow, screen(2_000), screen(5_000, "Other")]) == []


def test_android_names_screens_in_its_own_way() -> None:
    shown = (5_200, MobileEvent("viewAppeared", "Order:OrderView"))
    assert [f.detail["screen"] for f in find_issues([tap(1_000), call(4_400, 201, ms=3_300), shown])] == [
        "Order"
    ]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("UIButton 'Pay'", "Pay"),
        ("UILabel 'It's'", "It's"),
        ("UIView ''", "UIView"),
        ("id:a | text:b | type:c | desc:d | type:Button", "b"),
        ("CartView", "CartView"),
        ("id:pay | text:Pay now | desc: | type:Button", "Pay now"),
        ("id:pay | text: | desc:Pay | type:Button", "Pay"),
        ("id:pay | text: | desc: | type:Button", "pay"),
        ("id: | text: | desc: | type:View", "View"),
        ("Note: 12:30 | later", "Note: 12:30 | later"),
    ],
)
def test_titles_name_what_the_user_saw(label, shown) -> None:
    (found,) = find_issues([tap(at, label) for at in (0, 100, 200)])
    assert found.title == shown


TIMES = st.integers(0, 200_000)
ANYTHING = st.one_of(
    st.builds(tap, TIMES, st.sampled_from(["", "Pay"])),
    st.builds(sample, TIMES),
    st.builds(background, TIMES, st.booleans()),
    st.builds(call, TIMES, st.sampled_from([0, 200, 500, 2**64 - 1]), ms=st.integers(0, 2**64 - 1)),
    st.builds(screen, TIMES),
    TIMES.map(lambda at: (at, crash("a"))),
)


@given(st.lists(ANYTHING, max_size=60))
def test_any_recording_gives_findings_within_it_each_once(messages) -> None:
    recorded = sorted(messages, key=lambda each: each[0])
    found = find_issues(recorded)
    assert found == find_issues(recorded)
    assert len({f.key for f in found if f.type not in ("crash", "tap_rage")}) == sum(
        f.type not in ("crash", "tap_rage") for f in found
    )
    assert all(recorded[0][0] <= f.at_ms <= recorded[-1][0] for f in found)
    orjson.dumps([f.detail for f in found])
