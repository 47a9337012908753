"""`autophagy score`: results side by side, with intervals, tiers and costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmark.commands.tables import Column, number, open_console, sheet
from benchmark.results import captions
from benchmark.results.references import read_with_references
from benchmark.results.rows import ScoreRow, make_score_rows
from benchmark.results.schema import store_seed
from benchmark.results.standings import list_seeds, rank_results

LONGEST = 24  # columns for a method's name; longer ones are broken


def score(
    results: Annotated[
        list[Path], typer.Argument(help="Result files of one suite, such as runs/quick/*.json.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Score results against each other: tiers, suite scores, recoveries and costs.

    The references nothing.json and clean.json are read from beside them unless given; where they
    are not there, those that come with the benchmark are used.
    """
    given = read_with_references(results)
    found = rank_results(given)
    some = next(iter(given.values()))
    seeds = list_seeds(some, next(iter(some.tasks)))
    if as_json:
        document = {
            "suite": some.suite,
            "seeds": [store_seed(seed) for seed in seeds],
            "tasks": {name: task.hash for name, task in some.tasks.items()},
            "files": {result.method.name: str(path) for path, result in given.items()},
            "standings": [
                asdict(standing)
                | {"seeds": [store_seed(seed) for seed in standing.seeds]}
                | {"warning": standing.warning, "partial": standing.partial}
                for standing in found
            ],
        }
        print(json.dumps(document, indent=1))
        return
    console, rows = open_console(), make_score_rows(found)
    for table in (score_table(rows, some.suite, seeds), task_table(rows), cost_table(rows)):
        console.print(table)
        console.print()


def score_table(rows: Sequence[ScoreRow], suite: str, seeds: list[int]) -> Table:
    """Tier, ranks, access, suite score and its interval, one row a method."""
    tasks = len(rows[0].recoveries)
    title = (
        f"Suite {suite}, {tasks} task{'s' if tasks > 1 else ''}, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    )
    before, after = map(number, ("tier", "ranks")), map(number, ("score", "95% interval", "failed"))
    cells = [(r.tier, r.ranks, r.method, r.access, r.score, r.interval, r.failed) for r in rows]
    columns = [*before, _methods(rows), Column("access"), *after]
    marks = "".join(row.score for row in rows)
    return sheet(columns, cells, title, " ".join(captions.score_captions(len(seeds), marks)))


def task_table(rows: Sequence[ScoreRow]) -> Table:
    """The recovery on each task, one row a method."""
    starred = any(row.failed != "0" for row in rows)
    caption = f"Mean over seeds. {captions.STARRED if starred else ''}".rstrip()
    columns = [_methods(rows), *(number(task.replace("-", "-\n")) for task in rows[0].recoveries)]
    cells = [(row.method, *row.recoveries.values()) for row in rows]
    return sheet(columns, cells, "Recovery by task", caption)


def cost_table(rows: Sequence[ScoreRow]) -> Table:
    """The ledgers, one row a method."""
    headings = ("items\ntrained", "items\ngenerated", "items\nscored", "real\nitems", "CPU s")
    columns = [_methods(rows), *map(number, headings)]
    cells = [(row.method, *row.costs) for row in rows]
    title = "What it cost, all tasks and seeds together"
    return sheet(columns, cells, title, " ".join(captions.COSTS))


def _methods(rows: Sequence[ScoreRow]) -> Column:
    """The column of names: other columns give way to it."""
    longest = max(len(row.method) for row in rows)
    return Column("method", width=min(max(longest, len("method")), LONGEST))
