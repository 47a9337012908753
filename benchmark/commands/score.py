"""`autophagy score`: results side by side, with intervals, tiers and costs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from benchmark.commands.terminal import Terminal
from benchmark.results import captions

if TYPE_CHECKING:
    from benchmark.results.standings import Standing

NONE = "-"


def score(
    results: Annotated[
        list[Path], typer.Argument(help="Result files of one suite, such as runs/quick/*.json.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Score results against each other: tiers, suite scores, recoveries and costs.

    The references nothing.json and oracle.json are read from beside them unless given; where they
    are not there, those that come with the benchmark are used.
    """
    from benchmark.results.comparison import read
    from benchmark.results.standings import seeds_of, standings

    given = read(results)
    found = standings({str(path): result for path, result in given.items()})
    some = next(iter(given.values()))
    seeds = seeds_of(some, next(iter(some.tasks)))
    if as_json:
        document = {
            "suite": some.suite,
            "seeds": seeds,
            "tasks": {name: task.hash for name, task in some.tasks.items()},
            "files": {result.method.name: str(path) for path, result in given.items()},
            "standings": [asdict(standing) for standing in found],
        }
        print(json.dumps(document, indent=1))
        return
    console = Terminal()
    for sheet in (score_table(found, some.suite, seeds), task_table(found), cost_table(found)):
        console.print(sheet)
        console.print()


def score_table(found: list[Standing], suite: str, seeds: list[int]) -> Table:
    """Tier, ranks, access, suite score and its interval, one row a method."""
    tasks = len(found[0].recoveries)
    title = (
        f"Suite {suite}, {tasks} task{'s' if tasks > 1 else ''}, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    )
    sheet = _sheet(title, " ".join(captions.score_captions(len(seeds))))
    sheet.add_column("tier", justify="right", no_wrap=True)
    sheet.add_column("ranks", justify="right", no_wrap=True)
    _add_methods(sheet, found)
    sheet.add_column("access")
    sheet.add_column("score", justify="right", no_wrap=True)
    sheet.add_column("95% interval", justify="right", no_wrap=True)
    sheet.add_column("failed", justify="right", no_wrap=True)
    for standing in found:
        interval = NONE
        if standing.reference:
            interval = "by definition"
        elif standing.interval is not None:
            interval = "[{:.2f}, {:.2f}]".format(*standing.interval)
        lost = sum(standing.failed.values())
        sheet.add_row(
            NONE if standing.tier is None else str(standing.tier),
            NONE if standing.ranks is None else captions.ranks_text(standing.ranks),
            escape(standing.method),
            standing.access_tier,
            f"{standing.score:.2f}",
            escape(interval),
            f"{lost}/{standing.lineages}" if lost else "0",
        )
    return sheet


def task_table(found: list[Standing]) -> Table:
    """The recovery on each task, one row a method."""
    caption = "Mean over seeds."
    if any(sum(standing.failed.values()) for standing in found):
        caption += f" {captions.STARRED}"
    sheet = _sheet("Recovery by task", caption)
    _add_methods(sheet, found)
    for task in found[0].recoveries:
        sheet.add_column(task.replace("-", "-\n"), justify="right")
    for standing in found:
        cells = [
            f"{fmean(values):.2f}{'*' if standing.failed[task] else ''}"
            for task, values in standing.recoveries.items()
        ]
        sheet.add_row(escape(standing.method), *cells)
    return sheet


def cost_table(found: list[Standing]) -> Table:
    """The ledgers, one row a method."""
    sheet = _sheet(
        "What it cost, all tasks and seeds together",
        " ".join(captions.COSTS),
    )
    _add_methods(sheet, found)
    for heading in ("items\ntrained", "items\ngenerated", "items\nscored", "real\nitems", "CPU s"):
        sheet.add_column(heading, justify="right", no_wrap=True)
    for standing in found:
        costs = standing.costs
        sheet.add_row(
            escape(standing.method),
            f"{costs.items_trained:,}",
            f"{costs.items_generated:,}",
            f"{costs.forward_passes:,}",
            f"{costs.real_items:,}",
            f"{costs.cpu_seconds:,.0f}",
        )
    return sheet


def _sheet(title: str, caption: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        min_width=78,
    )


def _add_methods(sheet: Table, found: list[Standing]) -> None:
    """The column of names: other columns give way to it, and very long names break."""
    longest = max(len(standing.method) for standing in found)
    sheet.add_column("method", overflow="fold", width=min(max(longest, len("method")), 24))
