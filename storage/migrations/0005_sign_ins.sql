-- Browsers that are signed in to the player. Only hashes are kept: of the cookie's token, and of the admin key under
-- that token, so that another admin key ends it. A sign-in by an API key ends with the key.
CREATE TABLE sign_ins (
    token_hash bytea PRIMARY KEY, -- SHA-256
    role text NOT NULL CHECK (role IN ('admin', 'write', 'read')),
    project_id integer REFERENCES projects ON DELETE CASCADE, -- null: all projects
    api_key_id text REFERENCES api_keys ON DELETE CASCADE, -- null: by the admin key
    admin_mac bytea, -- HMAC-SHA256 of the admin key under the token; null: by an API key
    created_ms bigint NOT NULL,
    ends_ms bigint NOT NULL,
    CHECK ((role = 'admin') = (project_id IS NULL)),
    CHECK ((api_key_id IS NULL) <> (admin_mac IS NULL))
);
CREATE INDEX sign_ins_by_end ON sign_ins (ends_ms);

-- One-time links to sign in with: a row is used by deleting it.
CREATE TABLE sign_in_codes (
    code_hash bytea PRIMARY KEY, -- SHA-256
    role text NOT NULL CHECK (role IN ('admin', 'write', 'read')),
    project_id integer REFERENCES projects ON DELETE CASCADE, -- null: all projects
    admin_mac bytea NOT NULL, -- HMAC-SHA256 of the admin key under the code
    created_ms bigint NOT NULL,
    ends_ms bigint NOT NULL,
    CHECK ((role = 'admin') = (project_id IS NULL))
);
CREATE INDEX sign_in_codes_by_end ON sign_in_codes (ends_ms);
