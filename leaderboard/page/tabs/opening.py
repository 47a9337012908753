"""What a reader sees first, above the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.results.html import load_template
from leaderboard.board.entries import Board
from leaderboard.board.filters import QUESTIONS, Filters
from leaderboard.board.opening import make_opening
from leaderboard.board.views import View

OPENING: Any = load_template(Path(__file__).parents[1] / "opening.html").module  # its macros


def draw_opening(board: Board, view: View) -> str:
    """Collapse itself and the best of each access tier; "" on every tab but the table."""
    suite = view.filters.suite
    if view.tab != "table" or suite in QUESTIONS:
        return ""
    found = make_opening(board, suite)
    names = {row.method for row in found.rows} | {line.method for line in found.lines}
    places = {name: View(Filters(suite), "method", {"method": name}).address for name in names}
    return str(OPENING.opening(found, places))
