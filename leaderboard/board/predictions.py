"""How far another suite predicts the standard one, in one sentence."""

from __future__ import annotations

from functools import lru_cache

from benchmark.basics.errors import InputError
from benchmark.results.standings import Standing
from benchmark.results.transfer import FEWEST, compare_suites
from leaderboard.board.entries import Board
from leaderboard.board.filters import MAIN
from leaderboard.board.table import rank_entries

UNASKED = (MAIN, "stress")  # whose tasks differ from the standard ones on purpose, one by one


@lru_cache(maxsize=32)
def predict_main(board: Board, suite: str) -> str:
    """How alike `suite` and the standard suite rank methods, with n; "" where nobody asks."""
    if suite in UNASKED:
        return ""
    both = {name: _believe(rank_entries(board, name)) for name in (suite, MAIN)}
    whole = [{s.method for s in of if not (s.reference or s.partial)} for of in both.values()]
    n = len(whole[0] & whole[1])
    if n < FEWEST:
        return (
            f"How far {suite} predicts {MAIN}, the standard suite, cannot be said yet: n = {n} "
            f"methods have results in both, and {FEWEST} are needed. Do not choose by this table."
        )
    try:
        found = compare_suites(both)[0]
    except InputError as error:
        return f"How far {suite} predicts {MAIN}, the standard suite, cannot be said: {error}."
    low, high = found.interval
    return (
        f"How far {suite} predicts {MAIN}, the standard suite: Kendall's rank correlation "
        f"{found.tau:z.2f} (95% interval {low:z.2f} to {high:z.2f}, n = {found.methods} methods; "
        f"1 = the same order). Of the {found.separated} pairs of them that {MAIN} separates beyond "
        f"chance, {suite} orders {found.agreed} the same way."
    )


def _believe(found: list[Standing]) -> list[Standing]:
    """Those that maintainers measured or re-ran, where they suffice: a number that somebody sends
    does not move what is said of a suite then."""
    trusted = [s for s in found if s.trusted and not s.reference]
    return trusted if len(trusted) >= FEWEST else found
