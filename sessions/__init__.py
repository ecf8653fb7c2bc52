"""Sessions: one visit to one app, from its start to its recording.

Start at service.py (decides) over cached.py and store.py (only do); updates.py is the way data comes in,
recording.py and replays.py the way it is read.
"""
