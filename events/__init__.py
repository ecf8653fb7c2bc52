"""Events: facts that apps report, of every protocol.

incoming.py is what protocols make, model.py what is stored, store.py its SQL.
"""

from events.incoming import IncomingEvent
from events.model import Event, arrival_of, clamp_us, day_of, mobile_key

__all__ = ["Event", "IncomingEvent", "arrival_of", "clamp_us", "day_of", "mobile_key"]
