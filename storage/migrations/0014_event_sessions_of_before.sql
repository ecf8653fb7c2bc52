-- Counts the events that are there already. Workers wait for it; ingest and readers do not.
LOCK TABLE events IN SHARE MODE;
INSERT INTO event_sessions (project_id, session_id, event_count, first_us, last_us, first_day, last_day, long)
SELECT project_id, session_id, count(*), min(at_us), max(at_us), min(day), max(day),
    max(at_us) - min(at_us) > 86400000000
FROM events WHERE session_id <> '' GROUP BY project_id, session_id;
INSERT INTO event_session_categories (project_id, session_id, category)
SELECT DISTINCT project_id, session_id, category FROM events WHERE session_id <> '';
UPDATE segments SET summed = true WHERE state <> 'pending';
