"""The page's components, and what happens when a reader changes something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from benchmark import __version__
from leaderboard.board.source import BoardSource
from leaderboard.board.table import HEADINGS
from leaderboard.page.answers import Answers, Painted, head, told
from leaderboard.page.scripts import SET_ADDRESS, STORE
from leaderboard.page.tabs import compare, method, pictures, table
from leaderboard.page.widgets import bar

METHOD = list(HEADINGS).index("method")  # its column in the table
HIDDEN: Any = "hidden"  # no progress animation


class Page:
    """Lays the components out and wires them; made inside `gr.Blocks`."""

    def __init__(self, source: BoardSource, page: gr.Blocks) -> None:
        self.head = gr.HTML(head(source), elem_id="head")
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
        self.painted: Painted = [
            ("pictures", pictures, self.pictures),
            ("method", method, self.method),
            ("compare", compare, self.compare),
        ]
        self.answers = Answers(source, self.painted)
        self.picked = [self.method.method, self.compare.a, self.compare.b]
        self.filled = [self.table.table, self.table.count]
        page.load(  # selecting the tab that the address names draws it
            self.answers.open,
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
            told(self.answers.of_suite), self.bar.all,
            [*self.bar.all[1:4], *self.picked, *self.filled],
            show_progress=HIDDEN, api_name="suite",
        )  # fmt: skip
        others = [component.input for component in self.bar.all[1:]]
        on_others = gr.on(
            others, told(self.answers.rows), self.bar.all, self.filled, show_progress=HIDDEN,
            trigger_mode="always_last", api_name="table",
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
                told(self.answers.redrawn(module, parts)), [*self.bar.all, *parts.controls],
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
            told(self.answers.pick("method")), [parts.row, *self.bar.all],
            [*shown, self.method.method], api_name=False,
        )  # fmt: skip
        parts.against.click(
            told(self.answers.pick("compare")), [parts.row, *self.bar.all],
            [*shown, self.compare.a], api_name=False,
        )  # fmt: skip
        for button, ending in ((parts.csv, "csv"), (parts.parquet, "parquet")):
            stored = button.click(
                told(self.answers.download(ending)), self.bar.all, parts.file, api_name=ending
            )
            stored.then(None, parts.file, None, js=STORE)

    def _paint_after(self, event: Any) -> None:
        """Draw the tab that is open, if it is one of those that are drawn, and note the address."""
        every = [parts for _, _, parts in self.painted]
        controls = [control for parts in every for control in parts.controls]
        drawn = [place for parts in every for place in (*parts.controls, *parts.drawn)]
        painted = event.then(
            told(self.answers.paint), [self.tab, *self.bar.all, *controls], drawn,
            show_progress="minimal", api_name=False,
        )  # fmt: skip
        self._note_address(painted)

    def _note_address(self, event: Any) -> None:
        noted = event.then(
            self.answers.address, [self.tab, *self.bar.all, *self.picked], self.query,
            show_progress=HIDDEN, api_name=False,
        )  # fmt: skip
        noted.then(None, self.query, None, js=SET_ADDRESS)


def _selected(event: gr.SelectData) -> list[Any]:
    """Buttons for the method of the row that was selected."""
    name = str(event.row_value[METHOD])
    return [gr.Row(visible=True), gr.Button(f"Open {name}"), gr.Button(f"Compare {name}"), name]
