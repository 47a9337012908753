"""`autophagy export`: the board's results for papers and other benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import InputError
from benchmark.commands.tables import open_console, say
from benchmark.hub.connection import check_target
from leaderboard.board.export import export_entries
from leaderboard.board.source import BoardSource
from leaderboard.publishing.dataset import state_dataset_purpose


def export(
    to: Annotated[
        Path, typer.Argument(help="FILE.csv, .parquet or .bib; a folder for --every-eval-ever.")
    ],
    suite: Annotated[str, typer.Option(help="Of which suite.")] = "small",
    methods: Annotated[
        str | None, typer.Option(help="Only these, such as anchor,neon. Default: all.")
    ] = None,
    results: Annotated[
        list[Path] | None, typer.Option(help="With your own results, RUNS/SUITE/METHOD.json.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Results dataset, ORG/NAME; without it the repository's results."),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Of the Hub, if not the usual one.")] = None,
    every_eval_ever: Annotated[
        bool, typer.Option("--every-eval-ever", help="One JSON a method, in its schema 0.3.0.")
    ] = False,
) -> None:
    """Write a suite's table, its papers as BibTeX, or records for Every Eval Ever.

    A table holds scores, intervals, trust and costs with version, task hashes, hardware, seeds and
    links to paper and code.
    """
    if dataset is not None:
        check_target(state_dataset_purpose(dataset), endpoint)
    source = BoardSource(repo=dataset, endpoint=endpoint, own=results or ())
    board = source.board()
    if source.trouble:  # a page shows what it has instead, a file would not say so
        raise InputError(f"{source.trouble} Nothing was written.")
    own = [entry for found in board.entries.values() for entry in found if entry.mine]
    odd = next((entry for entry in own if entry.suite != suite), None)
    if odd is not None:
        raise InputError(
            f"{odd.path} is of suite {odd.suite!r}: give --suite {odd.suite}, or a result of suite "
            f"{suite!r}"
        )
    chosen = [name for name in (methods or "").split(",") if name]
    written = export_entries(board, suite, to, chosen, every_eval_ever)
    console = open_console()
    for path in written[:1] if len(written) > 3 else written:
        say(console, f"Wrote {path}")
    if len(written) > 3:
        say(console, f"and {len(written) - 1} files more below {to}")
