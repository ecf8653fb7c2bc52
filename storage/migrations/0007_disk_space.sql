-- What goes first when the disk is full, and what stays.
ALTER TABLE sessions ADD COLUMN pinned boolean NOT NULL DEFAULT false;
ALTER TABLE sessions ADD COLUMN frames_dropped_ms bigint;
ALTER TABLE projects ADD COLUMN frame_retention_days integer NOT NULL DEFAULT 0 CHECK (frame_retention_days >= 0);
