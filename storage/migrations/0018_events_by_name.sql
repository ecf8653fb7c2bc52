-- Events by name, in the order of the list; the hash keeps entries short whatever the names are. The BRIN index goes:
-- each project's events by time are read from events_by_time. Workers wait until it is made; ingest and readers do not.
CREATE INDEX events_by_name ON events (project_id, hashtext(name), at_us, arrival);
DROP INDEX events_by_at_brin;
