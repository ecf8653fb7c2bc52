"""Where data rests: Postgres, the object store, and the journal that leads from one to the other.

Not what the data mean: SQL about sessions or events lies with them. Start reading at objects.py (what the object
store promises), postgres.py (the pool and its errors) and journal.py (how an accepted record becomes durable).
Nothing is imported here, so that a reader of segments does not load a database driver.
"""
