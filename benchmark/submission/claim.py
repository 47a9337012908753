"""Whether a result can be believed to be what it says: whole, known, and of this submission."""

from __future__ import annotations

import datetime
from pathlib import Path

from benchmark import __version__
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.machine import find_gpu
from benchmark.basics.plain import clean_line, read_limited
from benchmark.interface.names import REFERENCES
from benchmark.results.references import find_frozen
from benchmark.results.schema import (
    LARGEST,
    GenerationResult,
    LineageResult,
    Result,
    TaskResult,
    parse_result,
)
from benchmark.submission.card import Card
from benchmark.submission.folder import Folder
from benchmark.tasks.suites import Suite, load_suite
from benchmark.tasks.task import Task

YEARS = range(2020, 2100)  # of a date that a clock may say
COUNTS = ("items_trained", "items_generated", "forward_passes", "real_items")


def read_claim(file: Path) -> Result:
    """A stored result of a whole suite as this version defines it.

    Raises:
        InputError: it cannot be read, or is of another version, suite, task or seed than this
            version knows, or not whole.
        CorruptFile: it is not a result as `autophagy run` writes it or, in this version, wrote it.
    """
    content = read_limited(file, LARGEST, "result")
    result = parse_result(content, file)
    _check_suite(result, file)  # first: results of other versions have other forms
    _check_words(result, file)
    if not result.is_written_as(content):
        raise CorruptFile(
            f"{file} was changed after the run: run the method again with autophagy run"
        )
    return result


def check_belongs(result: Result, file: Path, folder: Folder, card: Card, summary: str) -> None:
    """Whether the result is of this very submission.

    Raises:
        InputError: its name, source, access or summary differ.
    """
    if not result.method.name == file.stem == card.name:
        raise InputError(
            f"{file} is a result of {result.method.name!r}, the submission is {card.name!r}: "
            f"give the result RUNS/SUITE/{card.name}.json of autophagy run {folder.path}/method.py"
        )
    if result.method.source != folder.source:
        raise InputError(
            f"{file} was made by another version of method.py (source "
            f"{result.method.source[:8]}, now {folder.source[:8]}): run it again"
        )
    if sorted(result.method.access) != sorted(card.access):
        raise InputError(f"{file} and card.yaml name different access: run the method again")
    if result.method.summary != summary:
        raise InputError(f"{file} has another summary than the class: run the method again")


def find_claimed_gpu(result: Result) -> str:
    """The GPU that computed the result or a part of it, "" if none did."""
    return max(map(find_gpu, (result.hardware, *result.machines)))


def _check_suite(result: Result, file: Path) -> None:
    if result.benchmark_version != __version__:
        raise InputError(
            f"{file} is of version {clean_line(result.benchmark_version, 40)!r} of the benchmark, "
            f"this is {__version__}: run the method again"
        )
    suite = load_suite(result.suite)
    if file.absolute().parent.name != suite.name:  # a bare NAME.json names no folder by itself
        raise InputError(
            f"{file} is of suite {suite.name!r}: it belongs into a folder of that name"
        )
    wanted = {task.name: task for task in suite.tasks}
    if result.tasks.keys() != wanted.keys():
        odd = ", ".join(sorted(result.tasks.keys() ^ wanted.keys()))
        raise InputError(
            f"{file} is not of all tasks of suite {suite.name!r} (differs in {odd}): run it "
            f"without --tasks"
        )
    for name, task in wanted.items():
        _check_task(result.tasks[name], task, suite, f"{file}, {name}")
    if result.references.keys() != set(REFERENCES):
        raise InputError(f"{file} does not say which references it used: run the method again")
    hashes = {name: task.hash for name, task in wanted.items()}
    if "frozen" in result.references.values() and not find_frozen(suite.name, hashes, suite.seeds):
        raise InputError(
            f"{file} names frozen references, but none cover suite {suite.name!r}: run it again"
        )


def _check_task(found: TaskResult, task: Task, suite: Suite, where: str) -> None:
    if found.hash != task.hash:
        raise InputError(
            f"{where} was run on another version of the task (hash {found.hash[:8]!r}, now "
            f"{task.hash[:8]}): run the method again"
        )
    facts = (found.modality, found.primary, found.generations)
    if facts != (task.modality, task.evaluation.primary, task.generations):
        raise InputError(f"{where} misnames the task's modality, metric or generations: run again")
    seeds = [lineage.seed for lineage in found.lineages]
    if seeds != list(suite.seeds):
        raise InputError(
            f"{where} is of the seeds {seeds[:10]}, the suite has {list(suite.seeds)}: run it "
            f"without --seeds"
        )
    for lineage in found.lineages:
        _check_lineage(lineage, task, f"{where}, seed {lineage.seed}")


def _check_lineage(lineage: LineageResult, task: Task, where: str) -> None:
    generations = lineage.generations
    numbers = [generation.generation for generation in generations]
    all_of_them = list(range(task.generations + 1))
    begun = bool(numbers) and numbers == all_of_them[: len(numbers)]
    if not begun or any(g.status != "ok" for g in generations[:-1]):
        raise InputError(f"{where}: its generations are not 0, 1, 2 and so on: run it again")
    if generations[-1].status == "ok" and numbers != all_of_them:
        raise InputError(
            f"{where} stops at generation {numbers[-1]} without a failure: run it again"
        )
    if generations[-1].status != "ok" and not generations[-1].message:
        raise InputError(f"{where} failed without a message: run it again")
    names = {frozenset(g.profile) for g in generations if g.status == "ok"}
    if len(names) > 1 or any(task.evaluation.primary not in of for of in names):
        raise InputError(f"{where}: its profiles do not hold the same metrics: run it again")
    for generation in generations:
        _check_generation(generation, f"{where}, generation {generation.generation}")


def _check_generation(found: GenerationResult, where: str) -> None:
    if found.status == "ok" and None in found.profile.values():
        raise InputError(f"{where} is ok, but a metric is missing: run it again")
    if found.status == "ok" and found.ledger.keys() != set(COUNTS):
        raise InputError(f"{where}: its ledger does not hold {', '.join(COUNTS)}: run it again")


def _check_words(result: Result, file: Path) -> None:
    """The date is one, of our time, in the form that `run` writes."""
    try:
        moment = datetime.datetime.fromisoformat(result.created)
    except ValueError as error:
        raise InputError(f"{file} has no date of creation: run it again") from error
    written = moment.tzinfo is not None and moment.isoformat() == result.created
    if not written or moment.year not in YEARS:
        raise InputError(
            f"{file} was created {clean_line(result.created, 40)!r}, which is no time between "
            f"{YEARS[0]} and {YEARS[-1]} with its zone, such as 2026-01-02T03:04:05+00:00: set the "
            f"clock and run it again"
        )
