-- Sessions of more than an hour are looked for apart, so that a list within a time passes over few that ended before it.
-- The table is written anew, which takes some seconds for a million sessions; workers and readers of it wait.
ALTER TABLE event_sessions ADD COLUMN medium boolean NOT NULL
    GENERATED ALWAYS AS (last_us - first_us > 3600000000 AND last_us - first_us <= 86400000000) STORED;
CREATE INDEX event_sessions_medium ON event_sessions (project_id, first_us, session_id) WHERE medium;
