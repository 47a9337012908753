"""The page's components, and what happens when a reader changes something."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from benchmark import __version__
from benchmark.errors import AutophagyError
from leaderboard.filters import Filters
from leaderboard.markup import element, joined
from leaderboard.source import Source
from leaderboard.table import HEADINGS
from leaderboard.tabs import compare, method, pictures, table
from leaderboard.widgets import bar, chosen, everybody, updates

LEAD = (
    "Generative models trained on what earlier models wrote lose quality, variety and what is "
    "rare. Which mitigation avoids how much of that loss, with which information, at what cost?"
)
TABS = ("table", "pictures", "method", "compare", "about")
FIELDS = ("suite", "tasks", "access", "trust", "search", "tab", "method", "a", "b")
# A Space lies in a frame of the Hub's page, whose address is the one that readers share.
SET_ADDRESS = f"""(query) => {{
  if (!query) return;
  const url = new URL(window.location.href);
  for (const name of {list(FIELDS)}) url.searchParams.delete(name);
  new URLSearchParams(query).forEach((value, name) => url.searchParams.set(name, value));
  window.history.replaceState(window.history.state, "", url);
  if (window.parent !== window)
    window.parent.postMessage({{queryString: query}}, "https://huggingface.co");
}}"""
STORE = """(file) => {
  const [name, content] = file.split(";");
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""
METHOD = list(HEADINGS).index("method")  # its column in the table
EMPTY = "There is no result to show yet."
HIDDEN: Any = "hidden"  # no progress animation


def told(handler: Callable[..., Any]) -> Callable[..., Any]:
    """What a reader cannot be shown is said in one sentence."""

    @wraps(handler)
    def safe(*args: Any) -> Any:
        try:
            return handler(*args)
        except AutophagyError as error:
            raise gr.Error(html.escape(str(error)), print_exception=False) from error

    return safe


class Page:
    """Lays the components out and wires them; made inside `gr.Blocks`."""

    def __init__(self, source: Source, page: gr.Blocks) -> None:
        self.source = source
        self.head = gr.HTML(self._head(), elem_id="head")
        self.bar = bar(source.board())
        self.tab = gr.Textbox("", visible=False)  # the open one; none until the page is loaded
        self.query = gr.Textbox(visible=False)
        tabs = {}
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as self.tabs:
            with gr.Tab("Table", id="table") as tabs["table"]:
                self.table = table.layout()
            with gr.Tab("Pictures", id="pictures") as tabs["pictures"]:
                self.pictures = pictures.layout()
            with gr.Tab("Method", id="method") as tabs["method"]:
                self.method = method.layout()
            with gr.Tab("Compare", id="compare") as tabs["compare"]:
                self.compare = compare.layout()
            with gr.Tab("About", id="about") as tabs["about"]:
                words = Path(__file__).with_name("about.md").read_text("utf-8")
                gr.Markdown(words.replace("{version}", __version__), elem_id="about")
        self.painted: list[tuple[str, ModuleType, Any]] = [
            ("pictures", pictures, self.pictures),
            ("method", method, self.method),
            ("compare", compare, self.compare),
        ]
        self.picked = [self.method.method, self.compare.a, self.compare.b]
        self.filled = [self.table.table, self.table.count]
        page.load(  # selecting the tab that the address names draws it
            self._open,
            None,
            [self.head, self.table.refused, *self.bar.all, self.tab, self.tabs, *self.picked,
             *self.filled],
            show_progress=HIDDEN, api_name="open",
        )  # fmt: skip
        self._wire_bar()
        self._wire_tabs(tabs)
        self._wire_rows()

    def _wire_bar(self) -> None:
        on_suite = self.bar.suite.input(
            told(self._of_suite), self.bar.all, [*self.bar.all[1:4], *self.filled],
            show_progress=HIDDEN, api_name="suite",
        )  # fmt: skip
        on_others = gr.on(
            [component.input for component in self.bar.all[1:]], told(self._rows), self.bar.all,
            self.filled, show_progress=HIDDEN, trigger_mode="always_last", api_name="table",
        )  # fmt: skip
        for changed in (on_suite, on_others):
            self._paint_after(changed)

    def _wire_tabs(self, tabs: Mapping[str, gr.Tab]) -> None:
        for name, tab in tabs.items():
            # Gradio also selects the first tab by itself, before the address is read.
            opens = f'(open) => open ? "{name}" : ""'
            selected = tab.select(None, self.tab, self.tab, js=opens)
            is_drawn = any(name == drawn for drawn, _, _ in self.painted)
            (self._paint_after if is_drawn else self._note_address)(selected)
        for name, module, parts in self.painted:
            drawn = gr.on(
                [component.input for component in parts.controls],
                told(self._redrawn(module, parts)), [*self.bar.all, *parts.controls],
                [*parts.dependent, *parts.drawn], show_progress="minimal",
                trigger_mode="always_last", api_name=name,
            )  # fmt: skip
            self._note_address(drawn)

    def _wire_rows(self) -> None:
        """A row's buttons, and the downloads."""
        parts = self.table
        parts.table.select(
            _selected, None, [parts.opening, parts.open, parts.against, self.table.row],
            show_progress=HIDDEN, api_name=False,
        )  # fmt: skip
        shown = [self.tabs, self.tab]
        parts.open.click(  # selecting the tab draws it
            lambda row: (gr.Tabs(selected="method"), "method", row), parts.row,
            [*shown, self.method.method], api_name=False,
        )  # fmt: skip
        parts.against.click(
            lambda row: (gr.Tabs(selected="compare"), "compare", row), parts.row,
            [*shown, self.compare.a], api_name=False,
        )  # fmt: skip
        for button, ending in ((parts.csv, "csv"), (parts.parquet, "parquet")):
            stored = button.click(
                told(self._download(ending)), self.bar.all, parts.file, api_name=ending
            )
            stored.then(None, parts.file, None, js=STORE)

    def _paint_after(self, event: Any) -> None:
        """Draw the tab that is open, if it is one of those that are drawn, and note the address."""
        every = [parts for _, _, parts in self.painted]
        controls = [control for parts in every for control in parts.controls]
        drawn = [place for parts in every for place in (*parts.controls, *parts.drawn)]
        painted = event.then(
            told(self._paint), [self.tab, *self.bar.all, *controls], drawn,
            show_progress="minimal", api_name=False,
        )  # fmt: skip
        self._note_address(painted)

    def _note_address(self, event: Any) -> None:
        noted = event.then(
            self._address, [self.tab, *self.bar.all, *self.picked], self.query,
            show_progress=HIDDEN, api_name=False,
        )  # fmt: skip
        noted.then(None, self.query, None, js=SET_ADDRESS)

    def _open(self, request: gr.Request) -> list[Any]:
        """What an address asks for; what the board does not have is as if not asked."""
        board, query = self.source.board(), dict(request.query_params)
        asked = query.get("tab", "")
        tab = asked if asked in TABS else TABS[0]
        head = [self._head(), table.refusals(board), *([gr.skip()] * 5), tab, gr.Tabs(selected=tab)]
        if not board.entries:
            return [*head, *([gr.skip()] * 3), gr.skip(), str(element("p", EMPTY))]
        filters = Filters.of_query(query, board)
        there = everybody(board, filters)
        head[2:7] = updates(board, filters)
        picked = [query.get(name) for name in ("method", "a", "b")]
        picks = [gr.Dropdown(choices=there, value=n if n in there else None) for n in picked]
        return [*head, *picks, *table.filled(board, filters)]

    def _rows(self, *values: Any) -> list[Any]:
        """The table under other filters."""
        board = self.source.board()
        return [*table.filled(board, chosen(board, values))] if board.entries else [gr.skip()] * 2

    def _of_suite(self, *values: Any) -> list[Any]:
        """The filters that another suite offers, and its table."""
        board = self.source.board()
        filters = chosen(board, values)
        return [*updates(board, filters)[1:4], *table.filled(board, filters)]

    def _paint(self, tab: str, *values: Any) -> list[Any]:
        """Controls and pictures of the open tab; the others stay as they are."""
        board, rest = self.source.board(), list(values[5:])
        found: list[Any] = []
        for name, module, parts in self.painted:
            picked, rest = rest[: len(parts.controls)], rest[len(parts.controls) :]
            if name != tab or not board.entries:
                found += [gr.skip()] * (len(parts.controls) + len(parts.drawn))
                continue
            filters = chosen(board, values[:5])
            now = module.choices(board, filters, picked)
            found += [choice.update() for choice in now]
            found += module.drawn(board, filters, [choice.value for choice in now])
        return found

    def _redrawn(self, module: ModuleType, parts: Any) -> Callable[..., list[Any]]:
        """What another choice inside a tab changes there."""
        places = [parts.controls.index(control) for control in parts.dependent]

        def redrawn(*values: Any) -> list[Any]:
            board = self.source.board()
            filters = chosen(board, values[:5])
            now = module.choices(board, filters, values[5:])
            drawn = module.drawn(board, filters, [choice.value for choice in now])
            return [*(now[place].update() for place in places), *drawn]

        return redrawn

    def _download(self, ending: str) -> Callable[..., str]:
        def download(*values: Any) -> str:
            board = self.source.board()
            return table.downloaded(board, chosen(board, values), ending)

        return download

    def _address(self, tab: str, *values: Any) -> str:
        """The address's query: the filters, the open tab and, where they are shown, the methods."""
        board = self.source.board()
        if not board.entries or not tab:
            return ""
        found = chosen(board, values[:5]).query() | ({"tab": tab} if tab != TABS[0] else {})
        shown = {"method": ("method",), "compare": ("a", "b")}.get(tab, ())
        picked = dict(zip(("method", "a", "b"), values[5:], strict=True))
        return urlencode(found | {name: picked[name] for name in shown if picked[name]})

    def _head(self) -> str:
        origin = element("p", self.source.origin(), kind="note", id="origin")
        return str(joined([element("h1", "Autophagy Bench"), element("p", LEAD), origin]))


def _selected(event: gr.SelectData) -> list[Any]:
    """Buttons for the method of the row that was selected."""
    name = str(event.row_value[METHOD])
    return [gr.Row(visible=True), gr.Button(f"Open {name}"), gr.Button(f"Compare {name}"), name]
