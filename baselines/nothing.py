"""No mitigation: train on the crawl as it comes. The lower reference (score 0)."""

from benchmark import Mitigation


class Nothing(Mitigation):
    """Trains on the whole crawl."""
