"""The short way of judging an event is only taken where the long one finds nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.exact_json import HugeInteger
from events.held_schemas import Checkers, Schema
from events.incoming import IncomingEvent, pack, unpack
from events.judging import Rules, _plain_event, _problems, judge

SCHEMA = '{"properties":{"n":{"type":"integer"}},"additionalProperties":{"type":["string","object","null"]}}'
CHECKED = Checkers({"checked": Schema("checked", 1, SCHEMA)})

texts = st.one_of(
    st.sampled_from(["a", " ", "", "\0", "x" * 128, "x" * 129, "ü\ud7ff"]), st.none(), st.just(5)
)
values = st.recursive(
    st.one_of(
        st.none(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=3), st.just(HugeInteger("9" * 30))
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {},
    optional={
        "session_id": st.one_of(st.just("s"), texts),
        "name": st.one_of(st.just("n"), texts),
        "category": st.one_of(st.sampled_from(["checked", "free"]), texts),
        "id": texts,
        "data": st.one_of(st.dictionaries(st.sampled_from(["n", "m\0", "m"]), values, max_size=3), values),
        "timestamp": st.one_of(
            st.sampled_from(["2021-09-26 09:15:27", "2021-02-30 00:00:00", "2999-01-01 00:00:00", "x"]),
            values,
        ),
        "more": values,
    },
)
USUAL = {
    "session_id": "s",
    "category": "checked",
    "name": "n",
    "data": {},
    "timestamp": "2021-09-26 09:15:27",
}
likely = events.map(lambda event: USUAL | event)


@given(st.one_of(events, likely), st.booleans())
def test_both_ways_judge_alike(value: dict[str, Any], strict: bool) -> None:
    rules = Rules(CHECKED, strict, 1_900_000_000_000_000)
    problems = list(_problems(value, rules, 1000))
    plain = _plain_event(value, rules)
    assert plain is None or not problems
    judged = judge(value, rules)
    assert judged == problems if problems else isinstance(judged, IncomingEvent)
    if isinstance(judged, IncomingEvent):
        assert unpack(pack([judged])) == [judged]
