"""Phones that do not exist: a model of the mobile SDKs, apps to run on them, and what they sent.

Start at `simulation.py` (many phones), then `sdk_model.py` (one launch of an app) and `scenario.py` (what its
user does). Imports `messages` only; a Transport connects it to any server. `hamustro.py`
and `events.py` (the event service) are clients for programs.
"""
