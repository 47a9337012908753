"""The documentation. `generate/` writes the pages that say what the code says."""
