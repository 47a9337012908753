"""Recomputes the last generation's profile from the samples and the model that were uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from benchmark.basics.errors import AutophagyError, InputError, MethodError
from benchmark.basics.files import read_tensors
from benchmark.basics.processor import without_denormals
from benchmark.interface.items import Items
from benchmark.lineage.loop import open_world
from benchmark.lineage.workshop import kept_state
from benchmark.results.schema import LineageResult, Result
from benchmark.submission.upload import find_last_finished, name_samples
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task

RELATIVE, ABSOLUTE = 1e-3, 1e-3  # what arithmetic of another machine may change
ROOM = 1_000_000  # bytes of a file beside its tensors


@dataclass(frozen=True)
class RescoredLineage:
    """One lineage's last generation: its primary metric, and where the profile differs most.

    Attributes:
        excess: the largest difference of any metric over what is tolerated of it; above 1 it does
            not agree.
        worst: the metric that has it.
        problem: why nothing could be recomputed, else "".
    """

    task: str
    seed: int
    generation: int
    metric: str
    claimed: float
    recomputed: float
    excess: float
    worst: str
    problem: str = ""

    @property
    def agrees(self) -> bool:
        return not self.problem and self.excess <= 1


@without_denormals()
@without_denormals()
def rescore_claim(result: Result, samples: Path) -> list[RescoredLineage]:
    """One row for every lineage that published anything.

    Args:
        samples: the folder that holds what was uploaded of this entry.

    Raises:
        InputError: there is no such folder.
    """
    if not samples.is_dir():
        raise InputError(f"there is no folder {samples}: give samples/SUITE/NAME of the dataset")
    return [
        _row(task, lineage, samples)
        for task in load_suite(result.suite).tasks
        for lineage in result.tasks[task.name].lineages
        if find_last_finished(lineage) is not None
    ]


def _row(task: Task, lineage: LineageResult, folder: Path) -> RescoredLineage:
    last = find_last_finished(lineage)
    assert last is not None
    claimed, metric = lineage.generations[last].profile, task.evaluation.primary
    nan = float("nan")
    value = claimed[metric]
    assert value is not None
    row = RescoredLineage(task.name, lineage.seed, last, metric, value, nan, nan, "")
    try:
        profile = _profile(task, lineage.seed, last, folder)
    except AutophagyError as error:
        return RescoredLineage(**{**vars(row), "problem": str(error)})
    if profile.keys() != claimed.keys():
        odd = ", ".join(sorted(profile.keys() ^ claimed.keys()))
        return RescoredLineage(**{**vars(row), "problem": f"the result has other metrics ({odd})"})
    excess = {name: _excess(profile[name], number) for name, number in claimed.items()}
    worst = max(excess, key=lambda name: excess[name])
    found = {"recomputed": profile[metric], "excess": excess[worst], "worst": worst}
    return RescoredLineage(**{**vars(row), **found})


def _excess(recomputed: float, claimed: float | None) -> float:
    if claimed is None:
        return float("inf")
    difference = abs(recomputed - claimed) / (ABSOLUTE + RELATIVE * abs(claimed))
    return difference if difference == difference else float("inf")


def _profile(task: Task, seed: int, t: int, folder: Path) -> dict[str, float]:
    generator, evaluator = task.generator.build(), task.evaluation.build()
    names = name_samples(task.name, seed)
    published, trained = folder / names[0], folder / names[1]
    era, blank = open_world(task, seed)(t), generator.blank()
    real = era.heldout
    columns = _tensors(published, task.n * _bytes(real.columns) // len(real))
    items = _items(columns, real, task, generator.ranges, published)
    model = _model(blank, _tensors(trained, _bytes(blank.state_dict())), trained)
    return evaluator.profile(generator, model, items, era)


def _bytes(tensors: dict[str, Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def _tensors(path: Path, most: int) -> dict[str, Tensor]:
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is not there: without it nothing can be recomputed")
    if path.stat().st_size > most + ROOM:
        raise InputError(f"{path} has more than {most + ROOM:,} bytes: it is none of this task")
    return read_tensors(path)


def _items(
    columns: dict[str, Tensor], real: Items, task: Task, ranges: Mapping[str, int], path: Path
) -> Items:
    """The items, if they are such as the task publishes."""
    try:
        items = Items(**columns)
    except (MethodError, TypeError) as error:
        raise InputError(f"{path} does not hold items: {error}") from error
    if not items.same_kind(real) or len(items) != task.n:
        raise InputError(f"{path} does not hold {task.n} items like {real!r}")
    for name, count in ranges.items():
        if items[name].min() < 0 or items[name].max() >= count:
            raise InputError(f"{path} has a {name} that no item of {task.name} can have")
    return items


def _model(blank: nn.Module, weights: dict[str, Tensor], path: Path) -> nn.Module:
    own = kept_state(blank)
    fits = weights.keys() == own.keys() and all(
        (weights[name].shape, weights[name].dtype) == (tensor.shape, tensor.dtype)
        for name, tensor in own.items()
    )
    if not fits:
        raise InputError(f"{path} does not hold the weights of a model of this task")
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise InputError(f"{path} holds weights that are not finite")
    blank.load_state_dict(weights)
    return blank.eval()
