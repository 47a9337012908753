"""The page: its components, what happens when a reader changes something, and how it is served."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.results.style import DARK
from leaderboard.board.social import make_link_preview
from leaderboard.board.source import BoardSource
from leaderboard.board.views import FIELDS
from leaderboard.page.answers import Answers, Places, draw_head, say_errors
from leaderboard.page.charts import DOTS, SHADE
from leaderboard.page.tabs import compare, method, pictures, table
from leaderboard.page.widgets import lay_out_bar, place_markup

TITLE = "Autophagy Bench: mitigations of model collapse"
REFRESH = 300  # seconds
AT_ONCE = 8  # answers computed at the same time
_DARK = DARK | {SHADE: "#1b2433", DOTS: "#80868e"}
HIDDEN: Any = "hidden"  # no progress animation
# What the script of the page does before and after an answer.
ADDRESS = "() => [window.location.search]"
NOTE = "(query) => autophagy.note(query)"
ARRIVE = "() => autophagy.arrive()"
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

    Raises:
        InputError: the port cannot be listened on.
    """
    threading.Thread(target=_keep_fresh, args=(source,), daemon=True).start()
    page = build_page(source)
    for name in ("no_proxy", "NO_PROXY"):  # it asks itself whether it is up, and not by a proxy
        hosts = dict.fromkeys([*os.environ.get(name, "").split(","), "127.0.0.1", "localhost"])
        os.environ[name] = ",".join(filter(None, hosts))
    try:
        page.launch(
            server_name=host, server_port=port or None, inbrowser=open_browser and not view,
            quiet=not block,
            ssr_mode=False, prevent_thread_lock=True, show_error=True, share=False,
            run_history=False, footer_links=["api", "settings"], theme=make_theme(),
            head=make_head() + make_link_preview(),
        )  # fmt: skip
    except OSError as error:  # it says neither which of the two, nor by what option
        another = "another --port, 0 takes any that is free" if port else "one by --port"
        which = f"port {port} is in use or not allowed" if port else "no usual port is free"
        raise InputError(f"{which}: give {another}") from error
    if view:
        address = f"{page.local_url}?{urlencode(view)}"
        print(f"* Yours: {address}")
        if open_browser:
            webbrowser.open_new_tab(address)
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


def make_head() -> str:
    """The page's style sheet, with the dark colours of what charts draw, and its own script."""
    here = Path(__file__)
    style, script = (here.with_name(n).read_text("utf-8") for n in ("style.css", "page.js"))
    rules = [
        f'.dark .picture svg [{kind}="{light}"] {{ {kind}: {dark}; }}'
        for light, dark in _DARK.items()
        for kind in ("fill", "stroke")
    ]
    style = "\n".join([style, *rules])
    script = script.replace("FIELDS", json.dumps(FIELDS))
    return f"<style>{style}</style>\n<script>{script}</script>"


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
        self.places = lay_out(source)
        self.answers = Answers(source, self.places)
        places, asked = self.places, gr.Textbox(visible=False)
        route = gr.Button("Show the address", elem_id="route", visible="hidden")
        opened = page.load(
            self.answers.show, asked, places.all, js=ADDRESS, show_progress=HIDDEN, api_name="open"
        )
        routed = route.click(
            say_errors(self.answers.show), asked, places.all, js=ADDRESS, show_progress=HIDDEN,
            trigger_mode="always_last", api_name=False,
        )  # fmt: skip
        for shown in (opened, routed):
            shown.then(None, None, None, js=ARRIVE)
        gr.api(self.answers.list_scores, api_name="table")
        self._wire_bar()
        self._wire_controls()
        buttons = {"csv": places.table.csv, "parquet": places.table.parquet,
                   "bib": places.table.bib}  # fmt: skip
        for ending, button in buttons.items():
            stored = button.click(
                say_errors(self.answers.download(ending)), places.bar.all, places.table.file,
                api_name=ending,
            )  # fmt: skip
            stored.then(None, places.table.file, None, js=STORE)

    def _wire_bar(self) -> None:
        places, answers = self.places, self.answers
        given = [places.tab, *places.bar.all, *places.controls]
        others = [component.input for component in places.bar.all[1:-1]]
        for triggers, answer in (
            ([places.bar.suite.input], answers.refilter_suite),
            (others, answers.refilter),
        ):
            changed = gr.on(
                triggers, say_errors(answer), given, places.all, show_progress=HIDDEN,
                trigger_mode="always_last", api_name=False,
            )  # fmt: skip
            self._note(changed)

    def _wire_controls(self) -> None:
        places = self.places
        for name, module, parts in places.painted:
            given = [*places.bar.all, *parts.controls]
            changes = [*parts.dependent, *parts.drawn, places.query]
            follows = {parts.task: "measure"} if parts.dependent else {}
            for control in parts.controls:
                answer = self.answers.repaint(name, module, parts, follows.get(control, ""))
                changed = control.input(
                    say_errors(answer), given, changes, show_progress="minimal",
                    trigger_mode="always_last", api_name=False,
                )  # fmt: skip
                self._note(changed)

    def _note(self, event: Any) -> None:
        event.then(None, self.places.query, None, js=NOTE)


def lay_out(source: BoardSource) -> Places:
    """All components, in the order they stand on the page; made inside `gr.Blocks`."""
    head = place_markup(draw_head(source), elem_id="head")
    nav = place_markup(elem_id="places")
    lost = place_markup(visible=False, elem_id="lost")
    opening = place_markup(visible=False, elem_id="opening")
    bar = lay_out_bar(source.board())
    tab, query = gr.Textbox("", visible=False), gr.Textbox(visible=False)
    columns, documents = {}, {}
    with gr.Column() as columns["table"]:
        scores = table.lay_out()
    painted = []
    for name, module in (("pictures", pictures), ("method", method), ("compare", compare)):
        with gr.Column(visible=False) as columns[name]:
            painted.append((name, module, module.lay_out()))
    for name in ("findings", "about"):
        with gr.Column(visible=False) as columns[name]:
            documents[name] = place_markup(elem_id=name, elem_classes="document")
    return Places(
        head, nav, lost, opening, bar, tab, query, columns, scores, painted, documents
    )  # fmt: skip
