"""What the page answers when a reader opens it or changes something: values in, updates out."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from benchmark.basics.errors import AutophagyError
from leaderboard.board.filters import Filters
from leaderboard.board.source import BoardSource
from leaderboard.page.tabs import table
from leaderboard.page.widgets import HTML, offer_methods, read_filters, update_bar

LEAD = (
    "Generative models trained on what earlier models wrote lose quality, variety and what is "
    "rare. Which mitigation avoids how much of that loss, with which information, at what cost?"
)
TABS = ("table", "pictures", "method", "compare", "about")
EMPTY = "There is no result to show yet."
Painted = list[tuple[str, ModuleType, Any]]  # a tab's name, its module, its components


def say_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """What a reader cannot be shown is said in one sentence."""

    @wraps(handler)
    def safe(*args: Any) -> Any:
        try:
            return handler(*args)
        except AutophagyError as error:
            raise gr.Error(html.escape(str(error)), print_exception=False) from error

    return safe


def draw_head(source: BoardSource) -> str:
    """Title, what this is about, and where the results come from."""
    return HTML.opening(LEAD, source.origin())


class Answers:
    """Answers over the current board of a source; `painted` are the tabs that are drawn."""

    def __init__(self, source: BoardSource, painted: Painted) -> None:
        self.source = source
        self.painted = painted

    def open(self, request: gr.Request) -> list[Any]:
        """What an address asks for; what the board does not have is as if not asked."""
        board, query = self.source.board(), dict(request.query_params)
        asked = query.get("tab", "")
        tab = asked if asked in TABS else TABS[0]
        about = [draw_head(self.source), table.draw_refusals(board)]
        where = [tab, gr.Tabs(selected=tab)]
        if not board.entries:
            unchanged = [gr.skip()]
            said = HTML.sentence(EMPTY)
            return [*about, *unchanged * 5, *where, *unchanged * 3, *unchanged, said]
        filters = Filters.of_query(query, board)
        picked = [query.get(name) for name in ("method", "a", "b")]
        there = offer_methods(board, filters, *picked)
        picks = [gr.Dropdown(choices=there, value=n if n in there else None) for n in picked]
        bar = update_bar(board, filters)
        return [*about, *bar, *where, *picks, *table.fill_table(board, filters)]

    def rows(self, *values: Any) -> list[Any]:
        """The table under other filters."""
        board = self.source.board()
        return (
            [*table.fill_table(board, read_filters(board, values))]
            if board.entries
            else [gr.skip()] * 2
        )

    def of_suite(self, *values: Any) -> list[Any]:
        """The filters that another suite offers, and its table."""
        board = self.source.board()
        filters = read_filters(board, values)
        picks = [gr.Dropdown(choices=offer_methods(board, filters), value=None)] * 3
        return [*update_bar(board, filters)[1:4], *picks, *table.fill_table(board, filters)]

    def paint(self, tab: str, *values: Any) -> list[Any]:
        """Controls and pictures of the open tab; the others stay as they are."""
        board, rest = self.source.board(), list(values[5:])
        found: list[Any] = []
        for name, module, parts in self.painted:
            picked, rest = rest[: len(parts.controls)], rest[len(parts.controls) :]
            if name != tab or not board.entries:
                found += [gr.skip()] * (len(parts.controls) + len(parts.drawn))
                continue
            filters = read_filters(board, values[:5])
            now = module.list_choices(board, filters, picked)
            found += [choice.update() for choice in now]
            found += module.draw_tab(board, filters, [choice.value for choice in now])
        return found

    def redrawn(self, module: ModuleType, parts: Any) -> Callable[..., list[Any]]:
        """What another choice inside a tab changes there."""
        places = [parts.controls.index(control) for control in parts.dependent]

        def redrawn(*values: Any) -> list[Any]:
            board = self.source.board()
            filters = read_filters(board, values[:5])
            now = module.list_choices(board, filters, values[5:])
            drawn = module.draw_tab(board, filters, [choice.value for choice in now])
            return [*(now[place].update() for place in places), *drawn]

        return redrawn

    def pick(self, tab: str) -> Callable[..., list[Any]]:
        """Opens a tab with the method of the selected row."""

        def picked(row: str, *values: Any) -> list[Any]:
            board = self.source.board()
            there = offer_methods(board, read_filters(board, values), row)
            return [gr.Tabs(selected=tab), tab, gr.Dropdown(choices=there, value=row)]

        return picked

    def download(self, ending: str) -> Callable[..., str]:
        """Makes a file of the selected rows."""

        def download(*values: Any) -> str:
            board = self.source.board()
            return table.pack_download(board, read_filters(board, values), ending)

        return download

    def address(self, tab: str, *values: Any) -> str:
        """The address's query: the filters, the open tab and, where they are shown, the methods."""
        board = self.source.board()
        if not board.entries or not tab:
            return ""
        found = read_filters(board, values[:5]).query() | ({"tab": tab} if tab != TABS[0] else {})
        shown = {"method": ("method",), "compare": ("a", "b")}.get(tab, ())
        picked = dict(zip(("method", "a", "b"), values[5:], strict=True))
        return urlencode(found | {name: picked[name] for name in shown if picked[name]})
