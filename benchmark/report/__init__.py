"""The report: one HTML page about several results, and its figures."""
