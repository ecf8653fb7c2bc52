-- Links that open one replay without an account. Whoever uses one is signed in under it, and out when it ends.
CREATE TABLE shares (
    share_hash bytea PRIMARY KEY, -- SHA-256 of the link's token
    project_id integer NOT NULL REFERENCES projects ON DELETE CASCADE,
    session_id bigint NOT NULL,
    created_ms bigint NOT NULL,
    ends_ms bigint NOT NULL
);
CREATE INDEX shares_by_session ON shares (project_id, session_id);
CREATE INDEX shares_by_end ON shares (ends_ms);

ALTER TABLE sign_ins ADD COLUMN share_hash bytea REFERENCES shares ON DELETE CASCADE;
ALTER TABLE sign_ins DROP CONSTRAINT sign_ins_check1;
ALTER TABLE sign_ins ADD CONSTRAINT sign_ins_check1 CHECK (num_nonnulls(api_key_id, admin_mac, share_hash) = 1);
CREATE INDEX sign_ins_by_share ON sign_ins (share_hash) WHERE share_hash IS NOT NULL;
