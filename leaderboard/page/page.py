"""The page as it is served: theme, style sheet, address, and results that stay fresh."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import gradio as gr

from benchmark.basics.errors import AutophagyError
from benchmark.results.style import DARK
from leaderboard.board.source import BoardSource
from leaderboard.page.chart_parts import DOTS, SHADE
from leaderboard.page.wiring import Page

TITLE = "Autophagy Bench: mitigations of model collapse"
REFRESH = 300  # seconds
AT_ONCE = 8  # answers computed at the same time
_DARK = DARK | {SHADE: "#1b2433", DOTS: "#80868e"}


def build(source: BoardSource) -> gr.Blocks:
    """The page over a source of results."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        Page(source, page)
    return page.queue(default_concurrency_limit=AT_ONCE)


def launch(
    source: BoardSource, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False,
    block: bool = True,
) -> gr.Blocks:  # fmt: skip
    """Serve the page, and read the results again every few minutes.

    Args:
        source: of the results.
        host: the interface to listen on.
        port: 0 takes any that is free.
        open_browser: show it.
        block: return only when interrupted.

    Returns:
        The running page; its `local_url` is its address.
    """
    threading.Thread(target=_keep_fresh, args=(source,), daemon=True).start()
    page = build(source)
    page.launch(
        server_name=host, server_port=port or None, inbrowser=open_browser, quiet=not block,
        ssr_mode=False, prevent_thread_lock=True, show_error=True, share=False, run_history=False,
        footer_links=["api", "settings"], theme=theme(), css=style(),
    )  # fmt: skip
    if block:
        page.block_thread()
    return page


def theme() -> gr.themes.Base:
    """Fonts of the reader's system: nothing is fetched."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    )


def style() -> str:
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
