-- Events by name, in the order of the list; the hash keeps entries short whatever the names are. Workers wait until it is
-- made; ingest and readers do not. Where a partition has such an index already, that one is taken (docs/howto/fleet.md).
CREATE INDEX events_by_name ON events (project_id, hashtext(name), at_us, arrival);
