"""`autophagy board`: the leaderboard on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmark.hub.connection import check_target
from leaderboard.board.entries import Show
from leaderboard.board.filters import find_own_view
from leaderboard.board.source import BoardSource
from leaderboard.page.page import serve_page
from leaderboard.publishing.dataset import state_dataset_purpose

Dataset = Annotated[
    str | None,
    typer.Option(help="Results dataset on the Hub, ORG/NAME; without it the repository's results."),
]
Endpoint = Annotated[str | None, typer.Option(help="Address of the Hub, if not the usual one.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port on this machine; 0: any free.")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open it in a browser.")]


def board(
    dataset: Dataset = None, endpoint: Endpoint = None, port: Port = 7860, open_: Open = True
) -> None:
    """Show the leaderboard in a browser, until Ctrl-C."""
    serve_board(dataset, endpoint, port, open_)


def serve_board(
    dataset: str | None,
    endpoint: str | None,
    port: int,
    open_: bool,
    own: Sequence[Path] = (),
    show: Show | None = None,
) -> None:
    """Serve the page until Ctrl-C; `own` results are previewed on it, their samples by `show`."""
    if dataset is not None:
        check_target(state_dataset_purpose(dataset), endpoint)
    source = BoardSource(repo=dataset, endpoint=endpoint, own=own, show=show)
    serve_page(source, port=port, open_browser=open_, view=find_own_view(source.board()))
