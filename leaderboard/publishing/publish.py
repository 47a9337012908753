"""Stores results of the baselines, and samples by generation, with the leaderboard.

    python -m leaderboard.publishing.publish runs/small/*.json

Of the references only the samples, where they lie beside: their results are frozen in
`benchmark/results/references`, and every run has a copy. Who publishes has measured: the entry is
trusted as `measured` from then on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.basics.files import write_bytes
from benchmark.basics.plain import clean_terminal
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES
from benchmark.report.samples import make_gallery
from benchmark.results.gallery import Gallery
from benchmark.results.references import frozen_file
from benchmark.results.schema import Result, load_result
from benchmark.submission.claim import read_claim
from benchmark.submission.record import record_state
from leaderboard.board.opening import choose_shown_tasks
from leaderboard.board.source import HERE

MEASURED = "a method of the benchmark, run by its maintainers on the seeds that are public"


def publish_result(file: Path, folder: Path = HERE) -> None:
    """Store the result in FILE and its gallery under `folder`.

    Raises:
        InputError: it is not of a whole suite, of another version of the baseline or the tasks,
            or scored against references of its own.
        CorruptFile: the result or samples beside it are damaged.
    """
    result = read_claim(file)
    name = result.method.name
    if result.method.source != find_method(name).source:
        raise InputError(f"{file} is of another version of the baseline {name}: run it again")
    path, gallery = (
        f"{result.suite}/{name}.json",
        pick_shown(make_gallery(result, file), result.suite),
    )
    if name in REFERENCES:
        _check_frozen(result, file)
        if not gallery.tasks:  # a copy, which must not empty the gallery of the run itself
            return
    elif "own" in result.references.values():
        raise InputError(
            f"{file} is scored against its own references: run it in another --out folder, "
            f"where the frozen ones are used"
        )
    else:
        write_bytes(folder / "results" / path, result.to_json())
        record_state(folder / "results" / path, "measured", MEASURED, by="the maintainers")
    write_bytes(folder / "gallery" / path, gallery.to_json())


def pick_shown(gallery: Gallery, suite: str) -> Gallery:
    """What the opening shows: all, but of a suite of many tasks, for the repository is small."""
    shown = {task.name for task in choose_shown_tasks(suite)}
    return Gallery(tasks={name: of for name, of in gallery.tasks.items() if name in shown})


def _check_frozen(result: Result, file: Path) -> None:
    """The samples beside a reference are those that the frozen numbers were measured of."""
    stored = load_result(frozen_file(result.suite, result.method.name))

    for name, task in result.tasks.items():
        pairs = zip(task.lineages, stored.tasks[name].lineages, strict=True)
        if any(
            [g.profile for g in a.generations] != [g.profile for g in b.generations]
            for a, b in pairs
        ):
            raise InputError(f"{file} has other numbers on {name} than the frozen reference")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser("python -m leaderboard.publishing.publish")
    parser.add_argument("results", type=Path, nargs="+", metavar="RUNS/SUITE/METHOD.json")
    try:
        for given in parser.parse_args(arguments).results:
            publish_result(given)
            print(f"Published: {given}")
    except AutophagyError as error:
        sys.exit(f"publish: {clean_terminal(str(error))}")


if __name__ == "__main__":
    main()
