-- What the erasure of a user or a project removed, by store.
ALTER TABLE erased_users ADD COLUMN removed jsonb NOT NULL DEFAULT '{}';
ALTER TABLE erased_projects ADD COLUMN removed jsonb NOT NULL DEFAULT '{}';
ALTER TABLE erased_projects ADD COLUMN blanked bigint NOT NULL DEFAULT 0;
