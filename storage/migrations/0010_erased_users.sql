-- Users erased on purpose: events of theirs that arrived before and still wait in the journal are dropped.
CREATE TABLE erased_users (
    project_id integer NOT NULL,
    user_id text NOT NULL,
    erased_us bigint NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
