"""`autophagy transfer`: does a cheap suite predict a dear one?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from benchmark.commands.terminal import Terminal

CAPTION = (
    "tau: Kendall's rank correlation of the methods' scores, 1 = the same order; its 95% interval "
    "takes these methods as drawn from many. Alike: of the pairs of methods that the "
    "second suite separates beyond chance, those that the first orders the same way. nothing and "
    "oracle are left out."
)


def transfer(
    results: Annotated[
        list[Path],
        typer.Argument(help="Result files of two suites or more, the same methods in each."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Compare how suites rank the same methods."""
    from benchmark.results.comparison import read
    from benchmark.results.schema import load_result
    from benchmark.results.standings import standings
    from benchmark.results.transfer import transfers
    from benchmark.tasks.suites import SUITE_NAMES

    files: dict[str, list[Path]] = {}
    for file in results:
        files.setdefault(load_result(file).suite, []).append(file)
    order = [s for s in SUITE_NAMES if s in files] + [s for s in files if s not in SUITE_NAMES]
    suites = {
        suite: standings({str(path): result for path, result in read(files[suite]).items()})
        for suite in order
    }
    found = transfers(suites)
    if as_json:
        print(json.dumps([asdict(transfer) for transfer in found], indent=1))
        return
    sheet = Table(caption=CAPTION, caption_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    sheet.add_column("suites")
    sheet.add_column("tasks", no_wrap=True)
    for heading in ("methods", "tau", "95% interval", "alike"):
        sheet.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        low, high = row.interval
        alike = f"{row.agreed} of {row.separated}"
        sheet.add_row(
            f"{row.one}, {row.other}",
            row.tasks,
            str(row.methods),
            f"{row.tau:z.2f}",
            f"{low:z.2f} to {high:z.2f}",
            alike,
        )
    Terminal().print(sheet)
