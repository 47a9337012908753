"""`autophagy theory`: the closed forms, measured through the loop of the real tasks."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from benchmark.basics.processor import settle
from benchmark.commands.tables import number, open_console, sheet, word
from benchmark.theory.catalogue import catalogue
from benchmark.theory.experiments import Measurement, Row, measure
from benchmark.theory.figure import check_writable, draw

WIDE = 160  # columns: room for the whole table


def theory(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw measured over exact curves: .svg, .png or .pdf."),
    ] = None,
    share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Run this share of the seeds: quicker, with less power."),
    ] = 1.0,
) -> None:
    """Check that the loop reproduces the closed forms of the literature.

    Exits with status 1 if any is four standard errors or more away.
    """
    if plot is not None:
        check_writable(plot)
    measurements = _measured(share)
    rows = [measurement.row for measurement in measurements]
    passed = all(row.passed for row in rows)
    if as_json:
        document = {"rows": [_plain(row) for row in rows], "passed": passed}
        print(json.dumps(document, indent=1))
    else:
        open_console().print(_table(rows))
    if plot is not None:
        draw(measurements, plot)
    if not passed:
        raise typer.Exit(1)


def _measured(share: float) -> list[Measurement]:
    settle()
    experiments = [experiment.with_share(share) for experiment in catalogue()]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    measurements: list[Measurement] = []
    console = open_console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("lineages", total=sum(experiment.seeds for experiment in experiments))
        for experiment in experiments:
            bars.update(task, description=experiment.setting)
            if not console.moving:  # where no bar is drawn
                console.tell(f"Measuring {experiment.setting}")
            measurements += measure(experiment, advance=lambda: bars.advance(task))
    return measurements


def _plain(row: Row) -> dict[str, object]:
    numbers = asdict(row)
    if not math.isfinite(row.z):
        numbers["z"] = None  # JSON has no NaN
    return {**numbers, "passed": row.passed}


def _table(rows: list[Row]) -> Table:
    failed = sum(not row.passed for row in rows)
    columns = ["form", "setting", "quantity"]
    numbers = map(number, ("seeds", "t", "measured", "exact", "z"))
    caption = (
        "Measured: mean and standard error over seeds. t = 1 is the fit to real items. "
        "A closed form is met if |z| < 4."
    )
    cells = [
        (
            row.form,
            row.setting,
            row.quantity,
            str(row.seeds),
            str(row.t),
            f"{row.measured:.4f} ± {row.standard_error:.4f}",
            f"{row.exact:.4f}",
            f"{row.z:+.2f}",
            Text("met", "green") if row.passed else Text("missed", "red"),
        )
        for row in rows
    ]
    title = f"{len(rows)} closed forms, {failed} missed"
    return sheet([*columns, *numbers, word("verdict")], cells, title, caption)
