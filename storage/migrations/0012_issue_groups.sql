-- Issues of many sessions as one: counted where they change, so that a list of them costs what a page costs.
ALTER TABLE issues ADD COLUMN seen_ms bigint NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN user_key bytea NOT NULL DEFAULT '';
UPDATE issues i SET
    seen_ms = greatest(s.started_ms, least(
        i.at_ms + coalesce(s.clock_offset_ms, 0), coalesce(s.last_received_ms, s.started_ms)
    )),
    user_key = substr(sha256(convert_to(coalesce(nullif(s.user_id, ''), s.user_uuid), 'UTF8')), 1, 16)
FROM sessions s WHERE s.project_id = i.project_id AND s.session_id = i.session_id;
DROP INDEX issues_by_fingerprint;
CREATE INDEX issues_by_fingerprint ON issues (project_id, fingerprint, seen_ms DESC, session_id);

CREATE TABLE issue_groups (
    project_id integer NOT NULL,
    fingerprint bytea NOT NULL,
    type text NOT NULL,
    title text NOT NULL, -- of the newest
    count bigint NOT NULL, -- issues
    sessions bigint NOT NULL,
    users bigint NOT NULL,
    first_ms bigint NOT NULL,
    last_ms bigint NOT NULL,
    PRIMARY KEY (project_id, fingerprint)
);
CREATE INDEX issue_groups_by_time ON issue_groups (project_id, last_ms DESC, fingerprint DESC);
CREATE INDEX issue_groups_by_sessions ON issue_groups (project_id, sessions DESC, fingerprint DESC);

-- How many sessions of a group each user had, so that users are counted once.
CREATE TABLE issue_users (
    project_id integer NOT NULL,
    fingerprint bytea NOT NULL,
    user_key bytea NOT NULL, -- 16 bytes of the SHA-256 of the user's id
    sessions bigint NOT NULL,
    PRIMARY KEY (project_id, fingerprint, user_key)
);

INSERT INTO issue_users
SELECT project_id, fingerprint, user_key, count(DISTINCT session_id) FROM issues GROUP BY 1, 2, 3;
INSERT INTO issue_groups
SELECT project_id, fingerprint, min(type), (array_agg(title ORDER BY seen_ms DESC))[1], count(*),
    count(DISTINCT session_id), count(DISTINCT user_key), min(seen_ms), max(seen_ms)
FROM issues GROUP BY 1, 2;
