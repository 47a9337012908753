"""The upper reference (score 1): what would have been, had every crawl been clean."""

from __future__ import annotations

from benchmark.interface.mitigation import Mitigation


class Clean(Mitigation):
    """No contamination: every crawl holds n real items of its era. The upper reference (score 1).

    The harness crawls so for this class alone, which it knows by identity; a subclass is a method
    like any other. Random numbers are those of every lineage of the same task and seed.
    """
