"""`autophagy report`: results as one page that explains itself, and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.report.page import write_report as write_report
from benchmark.results.references import read_with_references


def report(
    results: Annotated[
        list[Path], typer.Argument(help="Result files of one suite, such as runs/small/*.json.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("report"),
) -> None:
    """Write a page about results: scores, curves, definitions of collapse, samples.

    The references nothing.json and clean.json are read from beside them unless given; samples
    from the run's folder, where it is there.
    """
    page = write_report(read_with_references(results), out)
    print(f"Report: {page}")
    print(f"Figures: {out / 'figures'}")
