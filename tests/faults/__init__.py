"""Real processes under load, with what they stand on taken away. Start at town.py."""
