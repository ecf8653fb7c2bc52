"""Events: facts that apps report, of every protocol. Start at model.py; SQL is in store.py."""

from events.model import Event, arrival_of, clamp_us, day_of, mobile_key

__all__ = ["Event", "arrival_of", "clamp_us", "day_of", "mobile_key"]
