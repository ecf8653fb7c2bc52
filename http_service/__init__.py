"""HTTP in and out: no SQL, no codecs. Start at app.py; every URL stands in routes/__init__.py.

The append routes never see the framework: hot.py takes them in front of it.
"""
