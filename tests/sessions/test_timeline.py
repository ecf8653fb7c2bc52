"""Timelines: what the player is told about pictures."""

from __future__ import annotations

from sessions.recording import StoredFrame
from sessions.timeline import timeline_of


def test_equal_pictures_name_the_first_of_them():
    places = [(0, 0, 10), (0, 10, 12), (0, 0, 10), (1, 0, 10), (0, 10, 12)]
    frames = [StoredFrame(1000 * n, *place, "jpeg") for n, place in enumerate(places)]
    told = timeline_of([], frames, [], {})["frames"]
    assert told["same"] == [0, 1, 0, 3, 1]
    assert told["t"] == [0, 1000, 2000, 3000, 4000]
    assert told["format"] == [told["formats"].index("jpeg")] * 5
