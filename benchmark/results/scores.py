"""Recoveries of a submitted result against the references that it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.references import frozen
from benchmark.results.schema import Result, load_result
from benchmark.results.standings import check_comparable, recoveries
from benchmark.tasks.suites import load_suite


def references_of(result: Result, file: Path) -> dict[str, Result]:
    """The references: those that come with the benchmark, or else those sent with the result.

    The latter lie beside it (a run's folder) or in `references/SUITE/NAME/` (the dataset).

    Raises:
        InputError: they are neither frozen nor there.
    """
    suite = load_suite(result.suite)
    kept = frozen(suite.name, {task.name: task.hash for task in suite.tasks}, suite.seeds)
    if kept:
        return kept
    sent = file.parent.parent.parent / "references" / suite.name / result.method.name
    for folder in (sent, file.parent):
        if all((folder / f"{name}.json").is_file() for name in REFERENCES):
            found = {name: load_result(folder / f"{name}.json") for name in REFERENCES}
            check_comparable({str(file): result, **found})
            return found
    raise InputError(f"the references of {file} are neither frozen nor in {sent} or beside it")


def recoveries_of(result: Result, references: Mapping[str, Result]) -> list[list[float]]:
    """(tasks, seeds) recoveries, tasks in the suite's order."""
    lower, upper = (references[name] for name in REFERENCES)
    return [
        list(recoveries(result, task.name, lower, upper).values())
        for task in load_suite(result.suite).tasks
    ]
