-- What an erasure removed and what it still has to take out of the journal.
ALTER TABLE erased_sessions ADD COLUMN removed jsonb NOT NULL DEFAULT '{}';
ALTER TABLE erased_sessions ADD COLUMN late_records bigint NOT NULL DEFAULT 0;
ALTER TABLE erased_sessions ADD COLUMN blanked bigint NOT NULL DEFAULT 0;
ALTER TABLE erased_sessions ADD COLUMN cleared_ms bigint;
CREATE INDEX erased_sessions_uncleared ON erased_sessions (erased_ms) WHERE cleared_ms IS NULL;

-- Records of the journal whose content is to be taken out.
CREATE TABLE erased_parts (
    project_id integer NOT NULL,
    session_id bigint NOT NULL,
    segment_key text NOT NULL,
    record integer NOT NULL,
    PRIMARY KEY (project_id, session_id, segment_key, record)
);
CREATE INDEX erased_parts_by_segment ON erased_parts (segment_key);

-- Projects deleted on purpose; their rows and objects go in the background.
CREATE TABLE erased_projects (
    project_id integer PRIMARY KEY,
    project_key text NOT NULL,
    erased_ms bigint NOT NULL,
    cleared_ms bigint
);
