"""Workers: from the journal to rows and recordings. Start at runner.py; processor.py, then finalizer.py.

A worker file has a handler and no loop; everything here may run twice, in any order, on any machine.
"""
