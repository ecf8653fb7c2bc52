"""Sessions: one visit to one app, from its start to its recording.

Start at service.py (decides) over cached.py and store.py (only do); updates.py is the way data comes in,
recording.py and replays.py the way it is read.
"""

from sessions.ids import SessionId, SessionIds
from sessions.model import Session, SessionStart
from sessions.replays import Replays
from sessions.service import SessionService, open_sessions
from sessions.tokens import Claims, Tokens
from sessions.updates import SessionUpdate, apply_updates

__all__ = [
    "Claims",
    "Replays",
    "Session",
    "SessionId",
    "SessionIds",
    "SessionService",
    "SessionStart",
    "SessionUpdate",
    "Tokens",
    "apply_updates",
    "open_sessions",
]
