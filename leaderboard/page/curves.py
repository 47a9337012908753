"""One measure of some methods by generation, and which measures there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.interface.find import REFERENCES
from benchmark.metrics.meanings import entries_of
from benchmark.results.curves import name_measures
from benchmark.results.schema import Result
from leaderboard.board.entries import Board
from leaderboard.page.lines import generations
from leaderboard.page.markup import element
from leaderboard.page.widgets import plot


def curve(
    board: Board, suite: str, task: str, measure: str, methods: Sequence[str]
) -> tuple[Any, str]:
    """One measure of some methods by generation, and what it means."""
    own = [method for method in methods if method not in REFERENCES]
    results = board.references(suite, own[0] if own else board.entries[suite][0].name)
    results = results | {method: board.result(suite, method) for method in own}
    (entry,) = entries_of([measure])
    modality = results["nothing"].tasks[task].modality
    several = len(results["nothing"].tasks[task].lineages) > 1
    bands = "Lines: mean over seeds; bands: the least and the most. " if several else "One seed. "
    said = [element("b", f"{entry.title} on {task}"), f" ({entry.good}). " if entry.good else ". ",
            entry.explain(modality), f" {bands}A cross marks where a lineage failed."]  # fmt: skip
    return plot(generations(results, task, measure)), str(element("p", *said, kind="note"))


def measured(board: Board, suite: str, task: str) -> list[tuple[str, str]]:
    """What can be drawn of a task: titles and names."""
    return [(e.title, e.name) for e in entries_of(name_measures(some_result(board, suite), task))]


def some_result(board: Board, suite: str) -> Result:
    """A result of a suite; all have the same tasks."""
    return board.result(suite, board.entries[suite][0].name)
