"""`autophagy board` and `autophagy preview`: the leaderboard on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.basics.errors import InputError

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
    _serve(dataset, endpoint, (), port, open_)


def preview(
    results: Annotated[
        list[Path], typer.Argument(help="Your results of whole suites, RUNS/SUITE/METHOD.json.")
    ],
    dataset: Dataset = None,
    endpoint: Endpoint = None,
    port: Port = 7860,
    open_: Open = True,
) -> None:
    """Show the leaderboard with your own results among the others, marked; nothing is sent."""
    _serve(dataset, endpoint, tuple(results), port, open_)


def _serve(
    dataset: str | None, endpoint: str | None, own: tuple[Path, ...], port: int, open_: bool
) -> None:
    page, source = _imported()
    if dataset is not None:
        from benchmark.hub.connection import check_target
        from leaderboard.publishing.dataset import purpose_of

        check_target(purpose_of(dataset), endpoint)
    where = {"repo": dataset, "endpoint": endpoint} if dataset else {}
    page.launch(source.Source(own=own, **where), port=port, open_browser=open_)


def _imported() -> tuple[Any, Any]:
    """The page and its source of results.

    Raises:
        InputError: what the page needs is not installed.
    """
    try:
        from leaderboard.board import source
        from leaderboard.page import page
    except ModuleNotFoundError as error:
        raise InputError(
            f"the leaderboard needs {error.name}: pip install 'autophagy-bench[board]'"
        ) from error
    return page, source
