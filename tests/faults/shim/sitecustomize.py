"""Python loads this before anything else in every process that has its folder on the PYTHONPATH.

For power cuts (faults/power.py) it puts a witness into fsync and fdatasync: what a file held when it was synced is
copied, and which files a folder named. The disk itself is not bothered: what counts as durable is what the witness saw.
For poison (faults/poison.py) it gives workers a decoder that some records are poison to.
"""

from __future__ import annotations

import os
import sys

FOLDER = os.environ.get("POWER_WITNESS", "")

if FOLDER:
    sys.path.insert(0, os.environ["POWER_SOURCE"])
    from tests.faults.witness import Witness

    witness = Witness(FOLDER)
    # "off": a program that does not sync, which the test must find
    synced = (lambda fd: None) if os.environ.get("POWER_FSYNC") == "off" else witness.synced
    for name in ("fsync", "fdatasync"):
        setattr(os, name, synced)

if os.environ.get("POISON_NOTES") and "work" in sys.orig_argv:
    from tests.faults import poison

    poison.install(os.environ["POISON_NOTES"])
