-- Each project's events by time are read from events_by_time. Apart from what takes long to build: it waits for every reader.
DROP INDEX IF EXISTS events_by_at_brin;
