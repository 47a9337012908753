"""`autophagy preview`: the leaderboard on this machine, with one's own results on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.commands.board import Dataset, Endpoint, Open, Port, serve_board
from benchmark.report.samples import make_gallery


def preview(
    results: Annotated[
        list[Path], typer.Argument(help="Your results of whole suites, RUNS/SUITE/METHOD.json.")
    ],
    dataset: Dataset = None,
    endpoint: Endpoint = None,
    port: Port = 7860,
    open_: Open = True,
) -> None:
    """Show the leaderboard with your own results among the others, marked; nothing is sent.

    It opens on your method's page, or with several on the table, where yours stand first. Its
    samples are shown where the run kept them beside its result.
    """
    serve_board(dataset, endpoint, port, open_, own=results, show=make_gallery)
