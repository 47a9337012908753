"""`autophagy report`: results as one page that explains itself, and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import InputError
from benchmark.commands.stored import STORED, list_stored
from benchmark.commands.tables import open_console
from benchmark.report.page import write_report as write_report
from benchmark.results.references import read_with_references
from benchmark.results.schema import load_result


def report(
    results: Annotated[
        list[Path], typer.Argument(help="Result files of one suite, such as runs/small/*.json.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
    against: Annotated[
        str | None,
        typer.Option(
            help="Add the stored results of the leaderboard on this suite: small. They show what "
            "an entry claims, also where it was run again."
        ),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Figures as PDF, too, for papers.")] = False,
) -> None:
    """Write a page about results: scores, curves, definitions of collapse, samples.

    The references nothing.json and clean.json are read from beside them unless given; samples
    from the run's folder, where it is there, else from what is stored with a result.
    """
    files = [*results, *(list_rivals(results, against) if against is not None else [])]
    with open_console(stderr=True).working("Drawing the figures and writing the page"):
        page = write_report(read_with_references(files), out, STORED, pdf)
    print(f"Report: {page}")
    print(f"Figures: {out / 'figures'}")


def list_rivals(results: list[Path], suite: str) -> list[Path]:
    """The stored results of the suite but those of methods that are given: one's own win.

    A re-run stores recoveries and no curves, so that of its entry the claim is shown.

    Raises:
        InputError: a given result is of another suite, or there is none stored of it.
    """
    given = {load_result(file).method.name for file in results}
    odd = next((file for file in results if load_result(file).suite != suite), None)
    if odd is not None:
        raise InputError(
            f"{odd} is of suite {load_result(odd).suite!r}: give --against the same suite"
        )
    return [path for path in list_stored(suite) if path.stem not in given]
