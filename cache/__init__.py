"""Cache: values in memory in front of Redis, told to forget by every process. Start at layered.py."""
