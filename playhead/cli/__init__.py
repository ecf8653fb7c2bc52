"""The command line. Start at app.py, which puts the commands together; each file holds one group of them."""

from playhead.cli.app import main

__all__ = ["main"]
