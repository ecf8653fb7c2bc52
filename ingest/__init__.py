"""Any protocol to journal records, pure: bodies and headers in, records out. The one funnel is funnel.accept.

Knows no HTTP, asks no database. Start at appends.py (what an SDK's batch becomes), then mobile.py (`/start`).
"""
