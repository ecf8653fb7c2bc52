"""Where data rests: Postgres (pool, migrations, an embedded server) and the object store."""
