-- Since when no processed record of the journal holds an event of an erased user.
ALTER TABLE erased_users ADD COLUMN cleared_ms bigint;
