-- facet_values_by_text and facet_values_by_folded took their place.
DROP INDEX facets_by_text;
DROP INDEX facets_by_folded;
