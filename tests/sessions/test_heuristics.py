"""Rules over a whole recording."""

from __future__ import annotations

from messages.schema import MobileClickEvent, MobileCrash, MobileLog
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
