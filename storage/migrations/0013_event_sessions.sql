-- What GET /api/v1/sessions lists: one row per session that events name, kept in the transaction that stores them.
CREATE TABLE event_sessions (
    project_id integer NOT NULL,
    session_id text NOT NULL,
    event_count bigint NOT NULL,
    first_us bigint NOT NULL, -- corrected times of its first and last event
    last_us bigint NOT NULL,
    first_day date NOT NULL, -- the partitions that hold events of it
    last_day date NOT NULL,
    long boolean NOT NULL, -- from first to last more than a day
    PRIMARY KEY (project_id, session_id)
) WITH (fillfactor = 85); -- an update finds room beside the row and touches no index
CREATE INDEX event_sessions_by_first ON event_sessions (project_id, first_us, session_id);
CREATE INDEX event_sessions_long ON event_sessions (project_id, first_us, session_id) WHERE long;
CREATE INDEX event_sessions_by_day ON event_sessions (project_id, first_day);

-- Which categories a session's events have.
CREATE TABLE event_session_categories (
    project_id integer NOT NULL,
    session_id text NOT NULL,
    category text NOT NULL,
    PRIMARY KEY (project_id, session_id, category)
);
CREATE INDEX event_session_categories_by_category ON event_session_categories (project_id, category, session_id);

-- Set by workers that keep these tables. What older ones finish is counted afterwards (workers/recounting.py).
ALTER TABLE segments ADD COLUMN summed boolean NOT NULL DEFAULT false;
CREATE INDEX segments_unsummed ON segments (created_ms) WHERE state <> 'pending' AND NOT summed;
