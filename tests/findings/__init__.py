"""Experiments behind docs/findings.md that are no part of a suite."""
