"""The page: its components, what happens when a reader changes something, and how it is served."""

from __future__ import annotations

import logging
import threading
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from benchmark import __version__
from benchmark.basics.errors import AutophagyError
from benchmark.results.style import DARK
from leaderboard.board.social import make_link_preview
from leaderboard.board.source import BoardSource
from leaderboard.board.table import HEADINGS
from leaderboard.page.answers import Answers, Painted, draw_head, say_errors
from leaderboard.page.charts import DOTS, SHADE
from leaderboard.page.tabs import compare, method, pictures, table
from leaderboard.page.widgets import lay_out_bar

TITLE = "Autophagy Bench: mitigations of model collapse"
REFRESH = 300  # seconds
AT_ONCE = 8  # answers computed at the same time
_DARK = DARK | {SHADE: "#1b2433", DOTS: "#80868e"}
METHOD = list(HEADINGS).index("method")  # its column in the table
HIDDEN: Any = "hidden"  # no progress animation
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


def build_page(source: BoardSource) -> gr.Blocks:
    """The page over a source of results."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        Page(source, page)
    return page.queue(default_concurrency_limit=AT_ONCE)


def serve_page(
    source: BoardSource, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False,
    block: bool = True, view: Mapping[str, str] | None = None,
) -> gr.Blocks:  # fmt: skip
    """Serve the page, and read the results again every few minutes.

    Args:
        source: of the results.
        host: the interface to listen on.
        port: 0 takes any that is free.
        open_browser: show it.
        block: return only when interrupted.
        view: the parameters of the address that is shown, and printed; the first view without.

    Returns:
        The running page; its `local_url` is its address.
    """
    threading.Thread(target=_keep_fresh, args=(source,), daemon=True).start()
    page = build_page(source)
    page.launch(
        server_name=host, server_port=port or None, inbrowser=open_browser and not view,
        quiet=not block,
        ssr_mode=False, prevent_thread_lock=True, show_error=True, share=False, run_history=False,
        footer_links=["api", "settings"], theme=make_theme(), css=make_style(),
        head=make_link_preview(),
    )  # fmt: skip
    if view:
        address = f"{page.local_url}?{urlencode(view)}"
        print(f"* Yours: {address}")
        if open_browser:
            webbrowser.open(address)
    if block:
        page.block_thread()
    return page


def make_theme() -> gr.themes.Base:
    """Fonts of the reader's system: nothing is fetched."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    )


def make_style() -> str:
    """The style sheet, and the dark colours of what charts draw."""
    rules = [
        f'.dark .picture svg [{kind}="{light}"] {{ {kind}: {dark}; }}'
        for light, dark in _DARK.items()
        for kind in ("fill", "stroke")
    ]
    return "\n".join([Path(__file__).with_name("style.css").read_text("utf-8"), *rules])


def _keep_fresh(source: BoardSource) -> None:
    while True:
        time.sleep(REFRESH)
        try:
            source.refresh()
        except AutophagyError as error:
            logging.getLogger(__name__).warning("the last results stay: %s", error)


class Page:
    """Lays the components out and wires them; made inside `gr.Blocks`."""

    def __init__(self, source: BoardSource, page: gr.Blocks) -> None:
        self.head = gr.HTML(draw_head(source), elem_id="head")
        self.bar = lay_out_bar(source.board())
        self.tab = gr.Textbox("", visible=False)  # the open one; none until the page is loaded
        self.query = gr.Textbox(visible=False)
        tabs = {}
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as self.tabs:
            with gr.Tab("Table", id="table") as tabs["table"]:
                self.table = table.lay_out()
            with gr.Tab("Pictures", id="pictures") as tabs["pictures"]:
                self.pictures = pictures.lay_out()
            with gr.Tab("Method", id="method") as tabs["method"]:
                self.method = method.lay_out()
            with gr.Tab("Compare", id="compare") as tabs["compare"]:
                self.compare = compare.lay_out()
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
            say_errors(self.answers.of_suite), self.bar.all,
            [*self.bar.all[1:4], *self.picked, *self.filled],
            show_progress=HIDDEN, api_name="suite",
        )  # fmt: skip
        others = [component.input for component in self.bar.all[1:]]
        on_others = gr.on(
            others, say_errors(self.answers.rows), self.bar.all, self.filled, show_progress=HIDDEN,
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
                say_errors(self.answers.redrawn(module, parts)), [*self.bar.all, *parts.controls],
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
            say_errors(self.answers.pick("method")), [parts.row, *self.bar.all],
            [*shown, self.method.method], api_name=False,
        )  # fmt: skip
        parts.against.click(
            say_errors(self.answers.pick("compare")), [parts.row, *self.bar.all],
            [*shown, self.compare.a], api_name=False,
        )  # fmt: skip
        for button, ending in ((parts.csv, "csv"), (parts.parquet, "parquet")):
            stored = button.click(
                say_errors(self.answers.download(ending)), self.bar.all, parts.file, api_name=ending
            )
            stored.then(None, parts.file, None, js=STORE)

    def _paint_after(self, event: Any) -> None:
        """Draw the tab that is open, if it is one of those that are drawn, and note the address."""
        every = [parts for _, _, parts in self.painted]
        controls = [control for parts in every for control in parts.controls]
        drawn = [place for parts in every for place in (*parts.controls, *parts.drawn)]
        painted = event.then(
            say_errors(self.answers.paint), [self.tab, *self.bar.all, *controls], drawn,
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
