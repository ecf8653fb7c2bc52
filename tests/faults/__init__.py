"""Real processes under load, with what they stand on taken away. How to write a fault: town.py."""
