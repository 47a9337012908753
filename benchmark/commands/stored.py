"""The results that come with the leaderboard, for commands that compare with them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest

STORED = Path(str(resources.files("leaderboard")))  # holds results/, gallery/ and findings


def list_stored(suite: str) -> list[Path]:
    """The stored results of a suite, by name.

    Raises:
        InputError: there is none.
    """
    found = sorted((STORED / "results" / suite).glob("*.json"))
    if not found:
        known = list_stored_suites()
        raise InputError(
            f"no result of suite {suite!r} comes with the leaderboard{ask_nearest(suite, known)}: "
            f"it has {', '.join(known) or 'none'}"
        )
    return found


def list_stored_suites() -> list[str]:
    """The suites of which there are stored results."""
    return sorted({path.parent.name for path in STORED.glob("results/*/*.json")})
