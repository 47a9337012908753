"""One lineage, from the web to the record of each generation."""
