"""What a method may see besides the crawl, and what a set of it is called."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """What a mitigation may see besides the crawl; the value is the honest name of its tier."""

    ARCHIVE = "archive"  # past crawls
    MODEL = "model"  # own generator: log-probabilities, features, weights
    RESERVE = "reserve"  # the small trusted set of real items
    WATERMARK = "watermark"  # may mark its own output, and gets the key
    VERIFIER = "verifier"  # a frozen external scorer
    PROVENANCE = "oracle"  # the true source of every item


def tier(access: frozenset[Access]) -> str:
    """The name of an access set on the leaderboard, such as "blind" or "archive + reserve"."""
    return " + ".join(a.value for a in Access if a in access) or "blind"
