-- The values of facets, each once per project: what substring filters and suggestions read, far fewer than facets.
-- Workers wait until those that are there have been copied; ingest and readers do not.
LOCK TABLE facets IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE facet_values (
    project_id integer NOT NULL,
    facet text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (project_id, facet, value)
);
ALTER TABLE facet_values ALTER COLUMN value SET STATISTICS 1000; -- how common a part of a value is
INSERT INTO facet_values (project_id, facet, value) SELECT DISTINCT project_id, facet, value FROM facets;
-- suggestions jump from one value to the next, whatever their case
CREATE INDEX facet_values_by_folded ON facet_values (project_id, facet, (lower(value) COLLATE "C"), value);
CREATE INDEX facet_values_by_text ON facet_values USING gin (value gin_trgm_ops) WITH (gin_pending_list_limit = 256);

-- Values of which a session was taken away: those that no other session has go (sessions/terms.py).
CREATE TABLE loose_values (
    project_id integer NOT NULL,
    facet text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (project_id, facet, value)
);

-- Triggers, so that workers of before keep them, too. The lock keeps a value from being taken for unused while a
-- transaction that needs it is under way.
CREATE FUNCTION facets_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(-1, p.project_id) FROM (SELECT DISTINCT project_id FROM came ORDER BY 1) p;
    INSERT INTO facet_values (project_id, facet, value)
    SELECT DISTINCT project_id, facet, value FROM came ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION facets_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(-1, p.project_id) FROM (SELECT DISTINCT project_id FROM went ORDER BY 1) p;
    INSERT INTO loose_values (project_id, facet, value)
    SELECT DISTINCT project_id, facet, value FROM went ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER facets_came AFTER INSERT ON facets REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION facets_came();
CREATE TRIGGER facets_went AFTER DELETE ON facets REFERENCING OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION facets_went();
