"""What the page answers when a reader opens an address or changes something: updates by place."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from benchmark.basics.errors import AutophagyError
from leaderboard.board.entries import Board
from leaderboard.board.filters import QUESTIONS, Filters
from leaderboard.board.source import BoardSource
from leaderboard.board.table import make_frame, order_rows, select_rows
from leaderboard.board.views import PICKS, TABS, View, follow_suite, list_places, read_view
from leaderboard.page.tabs import documents, table
from leaderboard.page.tabs.opening import draw_opening
from leaderboard.page.widgets import HTML, Bar, Choice, read_filters, update_bar

LEAD = (
    "Generative models trained on what earlier models wrote lose quality, variety and what is "
    "rare. Which mitigation avoids how much of that loss, with which information, at what cost?"
)
EMPTY = "There is no result to show yet"
DOCUMENTS = {"findings": documents.draw_findings, "about": documents.draw_about}
Updates = dict[Any, Any]  # component -> its update


@dataclass(frozen=True)
class Places:
    """The components of the page.

    Attributes:
        tab: holds the name of the open one.
        query: holds the address that the browser should note.
        columns: what each tab consists of; those of a question are the table's.
        painted: a tab's name, its module, its components.
        documents: by the names of `DOCUMENTS`.
    """

    head: gr.HTML
    nav: gr.HTML
    lost: gr.HTML
    opening: gr.HTML
    bar: Bar
    tab: gr.Textbox
    query: gr.Textbox
    columns: Mapping[str, gr.Column]
    table: table.Parts
    painted: Sequence[tuple[str, ModuleType, Any]]
    documents: Mapping[str, gr.HTML]

    @property
    def controls(self) -> list[Any]:
        """What a reader chooses inside tabs."""
        return [control for _, _, parts in self.painted for control in parts.controls]

    @property
    def all(self) -> list[Any]:
        """Whatever an answer can change."""
        drawn = [part for _, _, parts in self.painted for part in parts.drawn]
        return [
            self.head, self.nav, self.lost, self.opening, self.bar.row, *self.bar.all, self.tab,
            self.query, *self.columns.values(), *self.table.drawn, *self.controls, *drawn,
            *self.documents.values(),
        ]  # fmt: skip


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
    """Answers over the current board of a source."""

    def __init__(self, source: BoardSource, places: Places) -> None:
        self.source = source
        self.places = places

    def show(self, search: str) -> Updates:
        """The view of an address; where it does not exist, a sentence and nothing else."""
        board = self.source.board()
        if not board.entries:
            return self._show_empty(search, board)
        try:
            view = read_view(search or "", board)
        except AutophagyError as error:
            home = list_places(board, None)["table"]
            return self._hide(board, HTML.lost(_begin(str(error)), home))
        bar = dict(zip(self.places.bar.all, update_bar(board, view.filters), strict=True))
        picked = [_pick(view, name) for name in PICKS.get(view.tab, ())]
        return self._draw(board, view) | bar | self._paint(board, view, picked)[0]

    def refilter(self, tab: str, *values: Any) -> Updates:
        """The open tab under other filters."""
        board = self.source.board()
        if not board.entries:
            return {self.places.tab: gr.skip()}
        count = len(self.places.bar.all)
        filters = read_filters(board, values[:count])
        view = follow_suite(View(filters, tab or "table"))
        painted, address = self._paint(board, view, self._picked(view.tab, values[count:]))
        return self._draw(board, view) | painted | {self.places.query: address}

    def refilter_suite(self, tab: str, *values: Any) -> Updates:
        """The same for another suite, which has its own tasks, kinds of access and methods."""
        board = self.source.board()
        count = len(self.places.bar.all)
        found = self.refilter(tab, *values[:count], *[None] * len(self.places.controls))
        if not board.entries:
            return found
        updates = update_bar(board, read_filters(board, values[:count]))
        return found | dict(zip(self.places.bar.all, updates, strict=True))

    def repaint(
        self, name: str, module: ModuleType, parts: Any, forgotten: str = ""
    ) -> Callable[..., Updates]:
        """What another choice inside a tab changes there.

        Args:
            forgotten: of `PICKS`, what is chosen anew because it hangs on what was changed.
        """
        lost = PICKS[name].index(forgotten) if forgotten else None

        def repainted(*values: Any) -> Updates:
            board = self.source.board()
            count = len(self.places.bar.all)
            filters = read_filters(board, values[:count])
            picked = [v if k != lost else None for k, v in enumerate(values[count:])]
            painted, address = self._paint(board, View(filters, name), picked)
            keep = {*parts.dependent, *parts.drawn}
            return {place: of for place, of in painted.items() if place in keep} | {
                self.places.query: address
            }

        return repainted

    def download(self, ending: str) -> Callable[..., str]:
        """Makes a file of the selected rows."""

        def download(*values: Any) -> str:
            board = self.source.board()
            return table.pack_download(board, read_filters(board, values), ending)

        return download

    def list_scores(
        self, suite: str = "", tasks: str = "all", access: list[str] = [],  # noqa: B006
        trust: list[str] = [], search: str = "", sort: str = "",  # noqa: B006
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The table's rows under some filters, for programs; full precision, null where n/a."""
        board = self.source.board()
        try:
            query = {"suite": suite, "tasks": tasks, "access": ",".join(access),
                     "trust": ",".join(trust), "search": search, "sort": sort}  # fmt: skip
            filters = Filters.of_query(query, board)
            frame = make_frame(board, filters.suite, filters.tasks)
            rows = order_rows(select_rows(frame, filters), filters.sort)
        except AutophagyError as error:
            raise gr.Error(html.escape(str(error)), print_exception=False) from error
        found: list[dict[str, Any]] = json.loads(rows.to_json(orient="records"))
        return found

    def _draw(self, board: Board, view: View) -> Updates:
        """What surrounds a tab, and the tabs that have no controls."""
        places, whole = self.places, _home(view.tab)
        shows = whole not in DOCUMENTS and (view.tab not in QUESTIONS or view.tab in board.entries)
        found: Updates = {
            places.head: draw_head(self.source),
            places.nav: HTML.places(TABS, list_places(board, view), view.tab),
            places.lost: gr.HTML("", visible=False),
            places.opening: _fill(draw_opening(board, view)),
            places.bar.row: gr.Row(visible=shows),
            places.tab: view.tab,
        }
        found |= {of: gr.Column(visible=name == whole) for name, of in places.columns.items()}
        if whole == "table":
            found |= dict(zip(places.table.drawn, table.draw_tab(board, view), strict=True))
        if whole in DOCUMENTS:
            found[places.documents[whole]] = DOCUMENTS[whole]()
        return found

    def _paint(self, board: Board, view: View, picked: Sequence[Any]) -> tuple[Updates, str]:
        """Controls and pictures of a tab that has some, and the view's address."""
        for name, module, parts in self.places.painted:
            if name == view.tab:
                now = module.list_choices(board, view.filters, picked)
                usual = module.list_choices(board, view.filters, [None] * len(now))
                chosen = [choice.value for choice in now]
                drawn = module.draw_tab(board, view.filters, chosen)
                found = {c: of.update() for c, of in zip(parts.controls, now, strict=True)}
                found |= dict(zip(parts.drawn, drawn, strict=True))
                picks = _differ(name, now, usual)
                return found, View(view.filters, view.tab, picks).address
        return {}, view.address

    def _picked(self, tab: str, values: Sequence[Any]) -> list[Any]:
        """Of the controls of all tabs, those of one."""
        rest = list(values)
        for name, _, parts in self.places.painted:
            picked, rest = rest[: len(parts.controls)], rest[len(parts.controls) :]
            if name == tab:
                return picked
        return []

    def _hide(self, board: Board, said: str) -> Updates:
        """A sentence, and nothing of the board."""
        places = self.places
        return {
            places.head: draw_head(self.source),
            places.nav: HTML.places(TABS, list_places(board, None), ""),
            places.lost: gr.HTML(said, visible=True),
            places.opening: _fill(""),
            places.bar.row: gr.Row(visible=False),
            places.tab: "",
            **{of: gr.Column(visible=False) for of in places.columns.values()},
        }

    def _show_empty(self, search: str, board: Board) -> Updates:
        """A board without results: its documents, and what was refused."""
        tab = dict(parse_qsl(search.removeprefix("?"))).get("tab", "") if search else ""
        if tab in DOCUMENTS:
            return self._hide(board, "") | {
                self.places.columns[tab]: gr.Column(visible=True),
                self.places.documents[tab]: DOCUMENTS[tab](),
            }
        said = HTML.sentence(f"{EMPTY}.", "verdict") + HTML.refusals(board.refused)
        return self._hide(board, said)


def _home(tab: str) -> str:
    """The column that a tab is drawn in."""
    return "table" if tab in QUESTIONS else tab


def _begin(words: str) -> str:
    """As a sentence begins."""
    return words[:1].upper() + words[1:]


def _fill(content: str) -> gr.HTML:
    return gr.HTML(content, visible=bool(content))


def _pick(view: View, name: str) -> Any:
    value = view.picks.get(name)
    return value.split(",") if name == "methods" and value is not None else value


def _differ(tab: str, now: Sequence[Choice], usual: Sequence[Choice]) -> dict[str, str]:
    """What a reader chose, where it is not what a tab shows by itself; methods always."""
    found = {}
    for name, choice, plain in zip(PICKS[tab], now, usual, strict=True):
        if name in ("method", "a", "b") or choice.value != plain.value:
            value = choice.value
            found[name] = ",".join(value) if isinstance(value, list) else value or ""
    return found
