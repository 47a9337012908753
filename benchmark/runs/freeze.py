"""Keeps a finished run's references: `python -m benchmark.runs.freeze runs/small`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.basics.files import write_bytes
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES
from benchmark.results.references import FOLDER
from benchmark.results.schema import load_result
from benchmark.tasks.suites import load_suite


def freeze(folder: Path, to: Path = FOLDER) -> None:
    """Copy the references in `folder` (OUT/SUITE) to where `find_frozen` finds them.

    Raises:
        InputError: a result is not of a whole suite as it is defined now, has failed lineages, or
            was computed by another version of the method.
    """
    results = {name: load_result(folder / f"{name}.json") for name in REFERENCES}
    for name, result in results.items():
        suite = load_suite(result.suite)
        seeds = {name: tuple(x.seed for x in task.lineages) for name, task in result.tasks.items()}
        if seeds != {task.name: suite.seeds for task in suite.tasks}:
            raise InputError(f"{folder / name}.json is not a run of all of suite {suite.name!r}")
        if any(result.tasks[task.name].hash != task.hash for task in suite.tasks):
            raise InputError(
                f"{folder / name}.json is of other versions of the tasks: run it again"
            )
        if result.failures:
            raise InputError(f"{folder / name}.json has failures: {result.failures[0]}")
        if result.method.source != find_method(name).source:
            raise InputError(f"{folder / name}.json is of another {name}.py: run it again")
    for name, result in results.items():
        kept = result.model_copy(update={"references": dict.fromkeys(REFERENCES, "frozen")})
        write_bytes(to / result.suite / f"{name}.json", kept.to_json())


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmark.runs.freeze", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="RUNS/SUITE", help="of nothing and clean")
    try:
        freeze(parser.parse_args(arguments).folder)
    except AutophagyError as error:
        sys.exit(f"freeze: {error}")


if __name__ == "__main__":
    main()
