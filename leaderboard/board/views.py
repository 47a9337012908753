"""What a reader looks at, as an address: filters, a tab, and what is picked in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

from benchmark.basics.errors import InputError
from benchmark.results.curves import name_measures
from leaderboard.board.entries import Board
from leaderboard.board.filters import QUESTIONS, Filters, choose_first_suite, list_tasks

TABS = {
    "table": "Table",
    "pictures": "Pictures",
    "method": "Method",
    "compare": "Compare",
    **QUESTIONS,
    "findings": "Findings",
    "about": "About",
}
# What can be picked in a tab, in the order of its controls.
PICKS = {
    "pictures": ("methods", "task", "measure", "cost"),
    "method": ("method", "task", "measure"),
    "compare": ("a", "b", "task"),
}
FIELDS = (
    "suite", "tasks", "access", "trust", "search", "sort", "tab", "methods", "method", "a", "b",
    "task", "measure", "cost",
)  # fmt: skip
COSTS = ("samples", "training", "scored", "real_items", "cpu_seconds")  # that pictures can draw
LONGEST = 4_000  # characters of a query


@dataclass(frozen=True)
class View:
    """One view of the page; equal views have equal addresses.

    Attributes:
        picks: by the names of `PICKS[tab]`; several methods are separated by commas.
    """

    filters: Filters
    tab: str = "table"
    picks: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The query of its address, with the question mark."""
        found = self.filters.query()
        if self.tab != "table" and self.tab != self.filters.suite:
            found["tab"] = self.tab
        known = PICKS.get(self.tab, ())
        picked = {name: self.picks[name] for name in known if self.picks.get(name)}
        return "?" + urlencode(found | picked, safe=",")


def read_view(search: str, board: Board) -> View:
    """The view of an address; parameters that are not the page's are ignored.

    Args:
        search: the address from its question mark on.

    Raises:
        InputError: it asks for what is not there, or the board is empty.
    """
    query = dict(parse_qsl(search.removeprefix("?")[:LONGEST]))
    tab = query.get("tab", "table")
    if tab not in TABS:
        raise InputError(f"there is no page {tab!r} here, only {', '.join(TABS)}")
    if tab in QUESTIONS and tab in board.entries:
        query["suite"] = tab
    filters = Filters.of_query(query, board)
    if tab == "table" and filters.suite in QUESTIONS:
        tab = filters.suite
    picks = {name: query[name] for name in PICKS.get(tab, ()) if query.get(name)}
    _check_picks(board, filters.suite, picks)
    return View(filters, tab, picks)


def follow_suite(view: View) -> View:
    """The same after the filter bar changed: a question's tab is that of its suite only."""
    suite = view.filters.suite
    if view.tab in ("table", *QUESTIONS):
        return replace(view, tab=suite if suite in QUESTIONS else "table")
    return view


def list_places(board: Board, view: View | None) -> dict[str, str]:
    """The tabs' addresses by name, with the filters of `view` where they fit."""
    if not board.entries:
        return {tab: f"?tab={tab}" for tab in TABS}
    first = Filters(choose_first_suite(board))
    here = view.filters if view is not None else first
    found = {}
    for tab in TABS:
        filters = here
        if tab in QUESTIONS and tab in board.entries:
            filters = Filters(tab)
        elif here.suite in QUESTIONS and tab in ("table", *QUESTIONS):
            filters = first
        found[tab] = View(filters, tab).address
    return found


def _check_picks(board: Board, suite: str, picks: Mapping[str, str]) -> None:
    for name in ("method", "a", "b"):
        if name in picks:
            board.entry(suite, picks[name])
    for method in filter(None, picks.get("methods", "").split(",")):
        board.entry(suite, method)
    tasks, task = list_tasks(suite), picks.get("task")
    if task is not None and task not in tasks:
        raise InputError(f"there is no task {task!r} in suite {suite!r}, only {', '.join(tasks)}")
    measure = picks.get("measure")
    if measure is not None:
        result = board.result(suite, board.entries[suite][0].name)
        known = [name_measures(result, name) for name in ([task] if task else tasks)]
        if measure not in set().union(*known):
            raise InputError(f"there is no measure {measure!r} in suite {suite!r}")
    if picks.get("cost", COSTS[0]) not in COSTS:
        raise InputError(f"there is no cost {picks['cost']!r}, only {', '.join(COSTS)}")
