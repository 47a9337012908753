"""The grid as a list of jobs: one lineage each, independent of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmark.basics.errors import AutophagyError
from benchmark.interface.find import Method
from benchmark.lineage.store import name_record
from benchmark.results.schema import LineageResult, load_result
from benchmark.tasks.task import Task

COMPILED = "compiled"  # code for a GPU, in the folder of the shared cache


@dataclass(frozen=True)
class Job:
    """One lineage of the grid; `folder` is its own, `device` where its generator computes, `ranks`
    the number of processes that train it together."""

    method: Method
    task: Task
    seed: int
    folder: Path
    cache: Path
    device: str = "cpu"
    ranks: int = 1

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.method.name} on {self.task.name}, seed {self.seed}"

    def finished(self, known: int = 0) -> int:
        """Generations whose record is written; `known` of them were seen before."""
        with suppress(OSError):  # that a folder may not be entered, a run says when it writes there
            while self.record_file(known).exists():
                known += 1
        return known

    def record_file(self, t: int) -> Path:
        """What is written when generation `t` is finished."""
        return name_record(self.folder, t)


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its records, or the sentence of what stopped the harness."""

    job: Job
    lineage: LineageResult | None
    error: AutophagyError | None = None


Work = Callable[[Job], Outcome]


def plan(
    methods: Iterable[Method],
    suite: str,
    tasks: Sequence[Task],
    seeds: Sequence[int],
    out: Path,
    device: str = "cpu",
    ranks: int = 1,
) -> list[Job]:
    """All lineages, a seed after the other. Those of all methods on a task and seed follow upon one
    another, the user's methods first: they share the real items of its eras (see `open_world`), and
    a broken method shows at once."""
    jobs, chosen = [], list(methods)
    for seed in seeds:
        for task in tasks:
            for method in chosen:
                folder = lineage_folder(
                    out, suite, method.name, task.name, seed, task.hash, method.source
                )
                jobs.append(Job(method, task, seed, folder, out / "cache", device, ranks))
    return jobs


def lineage_folder(
    out: Path, suite: str, method: str, task: str, seed: int, task_hash: str, source: str
) -> Path:
    """Where a lineage lies: another version of its task or method is another lineage."""
    name = f"{task}-seed{seed}-{task_hash[:8]}-{source[:8]}"
    return out / suite / "lineages" / method / name


def all_finished(jobs: Iterable[Job]) -> bool:
    """Whether every lineage reached its last generation."""
    return all(job.finished() > job.task.generations for job in jobs)


def find_spent(out: Path) -> Iterator[Path]:
    """The tensors of lineages that a result beside them has: no run reads them again.

    Raises:
        CorruptFile: a result is damaged.
    """
    # Folders of suites only: others, such as that of a re-run's drawn seeds, hold no results.
    suites = sorted(folder.parent for folder in out.glob("*/lineages"))
    for file in (file for suite in suites for file in sorted(suite.glob("*.json"))):
        result = load_result(file)
        for name, task in result.tasks.items():
            for lineage in task.lineages:
                folder = lineage_folder(
                    out, result.suite, result.method.name, name, lineage.seed, task.hash,
                    result.method.source,
                )  # fmt: skip
                yield from folder.glob("*.safetensors")
