"""What is known of terms that the database has: never one too many, and never more memory."""

from __future__ import annotations

import tracemalloc

from sessions.terms import Row
from workers.known_terms import SLOTS, KnownTerms


def _terms(count: int, session_id: int = 7) -> list[Row]:
    return [(1, "view", f"Screen {number}", 1_700_000_000_000, session_id) for number in range(count)]


def test_what_was_added_is_known_and_nothing_else() -> None:
    known, terms = KnownTerms(), _terms(100)
    assert not any(term in known for term in terms)
    known.add(terms[:1])
    assert terms[0] in known
    project_id, facet, value, started_ms, session_id = terms[0]
    others: list[Row] = [
        (2, facet, value, started_ms, session_id),
        (project_id, "click", value, started_ms, session_id),
        (project_id, facet, "", started_ms, session_id),
        (project_id, facet, value, started_ms + 1, session_id),
        (project_id, facet, value, started_ms, -session_id),
    ]
    assert not any(term in known for term in [*others, *terms[1:]])


def test_who_comes_later_takes_the_slot_over() -> None:
    known, terms = KnownTerms(slots=1), _terms(2)
    for newest, driven_out in ((0, 1), (1, 0), (0, 1)):
        known.add([terms[newest]])
        assert terms[newest] in known and terms[driven_out] not in known


def test_of_those_in_use_nearly_all_are_known() -> None:
    known, terms = KnownTerms(), _terms(60_000)
    known.add(terms)
    assert sum(term in known for term in terms) > 0.85 * len(terms)


def test_a_hundred_thousand_terms_take_no_more_memory_than_none() -> None:
    tracemalloc.start()
    try:
        known = KnownTerms()
        at_first, _ = tracemalloc.get_traced_memory()
        for session_id in range(1_000):
            known.add(_terms(100, session_id))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert at_first < 8 * SLOTS + 10_000
    assert after < at_first + 10_000
