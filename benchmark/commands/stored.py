"""The results that come with the leaderboard, for commands that compare with them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.basics.plain import read_limited
from benchmark.basics.spelling import ask_nearest
from benchmark.results.schema import LARGEST
from benchmark.results.standings import Standing, rank_methods
from benchmark.submission.trust import find_state, load_trust

STORED = Path(str(resources.files("leaderboard")))  # holds results/, gallery/ and findings


def list_stored(suite: str) -> list[Path]:
    """The stored results of a suite, by name, but those that were rejected: nothing of them is
    shown but the reason.

    Raises:
        InputError: there is none.
        CorruptFile: what maintainers found out about one of them is damaged.
    """
    found = [f for f in sorted((STORED / "results" / suite).glob("*.json")) if not _rejected(f)]
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


def rank_stored() -> dict[str, list[Standing]]:
    """The standings of every suite as the board has them, by suite: of what was run again, the
    numbers of the re-run, and nothing that the board refuses."""
    from leaderboard.board.entries import read_board

    return {suite: rank_methods(of) for suite, of in read_board(STORED).entries.items()}


def _rejected(file: Path) -> bool:
    content = read_limited(file, LARGEST, "result")
    return find_state(content, load_trust(file)).name == "rejected"
