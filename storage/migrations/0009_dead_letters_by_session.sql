-- A session tells how many of its records are in quarantine, and takes them along when it is erased.
CREATE INDEX dead_letters_by_session ON dead_letters (project_id, session_id) WHERE session_id IS NOT NULL;
