-- Events of other protocols that belong to a recorded session are found by its id or by its user. Rows of mobile
-- sessions are in neither index. Making them keeps workers (not ingest, nor readers) waiting.
CREATE INDEX events_of_session ON events (project_id, session_id, at_us, arrival) WHERE source <> 'mobile';
CREATE INDEX events_of_user ON events (project_id, user_id, at_us, arrival) WHERE user_id <> '';
