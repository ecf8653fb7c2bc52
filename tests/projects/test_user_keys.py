from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projects.user_keys import KEY_CHARS, MAX_USER_ID, user_key


@given(st.text(max_size=3 * KEY_CHARS))
def test_a_key_is_bounded_and_its_own_key(user_id):
    key = user_key(user_id)
    assert len(key) <= KEY_CHARS and user_key(key) == key
    assert key == user_id or len(user_id) > KEY_CHARS


@given(st.integers(0, 2 * KEY_CHARS), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_users_are_told_apart_by_whatever_differs(shared, one, other):
    """A token's identifiers, say, begin alike for hundreds of characters."""
    assert (user_key("x" * shared + one) == user_key("x" * shared + other)) == (one == other)


def test_what_is_cut_when_it_is_stored_makes_no_difference():
    assert user_key("x" * MAX_USER_ID + "y") == user_key("x" * MAX_USER_ID)


def test_lone_surrogates_have_a_key():
    assert len(user_key("\ud800" * 300)) == KEY_CHARS
