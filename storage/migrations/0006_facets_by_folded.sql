-- Values that exist, by their beginning and whatever their case: suggestions jump from one value to the next.
CREATE INDEX facets_by_folded ON facets (project_id, facet, (lower(value) COLLATE "C"), value);
