"""`autophagy transfer`: does a cheap suite predict a dear one?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmark.commands.stored import rank_stored
from benchmark.commands.tables import number, open_console, say, sheet, word
from benchmark.results.references import read_with_references
from benchmark.results.schema import load_result
from benchmark.results.standings import Standing, rank_results
from benchmark.results.transfer import compare_suites
from benchmark.tasks.suites import SUITE_NAMES

CAPTION = (
    "tau: Kendall's rank correlation of the methods' scores, 1 = the same order; its 95% interval "
    "takes these methods as drawn from many. Alike: of the pairs of methods that the "
    "second suite separates beyond chance, those that the first orders the same way. nothing and "
    "clean are left out."
)


def transfer(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Result files of two suites or more, the same methods in each; without any those "
            "that come with the leaderboard."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Compare how suites rank the same methods.

    Of the leaderboard's, an entry that was run again counts with the numbers of the re-run.
    """
    standings = _rank_files(results) if results else rank_stored()
    order = [s for s in SUITE_NAMES if s in standings]
    order += [s for s in standings if s not in SUITE_NAMES]
    console = open_console(stderr=True)
    found = compare_suites(
        {suite: standings[suite] for suite in order},
        tell=lambda why: say(console, f"Left out: {why}"),
    )
    if as_json:
        print(json.dumps([asdict(transfer) for transfer in found], indent=1))
        return
    rows = [
        (
            f"{row.one}, {row.other}",
            row.tasks,
            str(row.methods),
            f"{row.tau:z.2f}",
            "{:z.2f} to {:z.2f}".format(*row.interval),
            f"{row.agreed} of {row.separated}",
        )
        for row in found
    ]
    headings = map(number, ("methods", "tau", "95% interval", "alike"))
    open_console().print(sheet(["suites", word("tasks"), *headings], rows, caption=CAPTION))


def _rank_files(results: list[Path]) -> dict[str, list[Standing]]:
    """The standings of each suite that the files are of."""
    files: dict[str, list[Path]] = {}
    for file in results:
        files.setdefault(load_result(file).suite, []).append(file)
    return {suite: rank_results(read_with_references(of)) for suite, of in files.items()}
