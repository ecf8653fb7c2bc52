"""Projects: who may send what. Start at service.py (decides) over cached.py and store.py (only do)."""
