"""`python -m playhead` is `playhead`."""

from playhead.cli import main

main()
