-- Users known to a project, for protocols whose events name a user by number.
CREATE TABLE project_users (
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id bigint NOT NULL,
    username text NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
