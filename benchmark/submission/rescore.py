"""Recomputes the profile of every generation from the samples and the models that were sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from benchmark.basics.errors import AutophagyError, InputError, MethodError
from benchmark.basics.files import read_tensors
from benchmark.basics.processor import without_denormals
from benchmark.interface.items import Items
from benchmark.lineage.loop import open_evaluator, open_world
from benchmark.lineage.marks import LabelReader, check_labels
from benchmark.lineage.workshop import kept_state
from benchmark.results.references import are_frozen, find_references
from benchmark.results.schema import LineageResult, Result
from benchmark.submission.claim import find_claimed_gpu
from benchmark.submission.copies import FEW, RealItems, count_likenesses
from benchmark.submission.upload import find_last_finished, name_samples
from benchmark.tasks.parts import Era
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task

RELATIVE, ABSOLUTE = 1e-3, 1e-3  # what arithmetic of another machine may change
ROOM = 1_000_000  # bytes of a file beside its tensors


@dataclass(frozen=True)
class RescoredLineage:
    """One lineage: its primary metric, and where its profiles differ most from what was sent.

    Attributes:
        generation: the one of which the numbers are: the last one that published, or the first
            that does not agree.
        excess: the largest difference of any metric over what is tolerated of it; above 1 it does
            not agree.
        worst: the metric that has it.
        problem: why it cannot be believed whatever the numbers, else "".
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
def rescore_claim(
    result: Result, samples: Path, say: Callable[[str], object] = lambda said: None
) -> list[RescoredLineage]:
    """One row for every lineage that published anything: all of its generations are recomputed.

    What agrees is that the numbers follow from samples and models that were sent; not who made
    these, nor from what. So it says no more of the method than the claim does.

    Args:
        samples: the folder that holds what was uploaded of this entry.
        say: is told which lineage comes next.

    Raises:
        InputError: there is no such folder, or see `refuse_gpu`.
    """
    refuse_gpu(result)
    if not samples.is_dir():
        raise InputError(f"there is no folder {samples}: give samples/SUITE/NAME of the dataset")
    found = []
    for task in load_suite(result.suite).tasks:
        for lineage in result.tasks[task.name].lineages:
            if find_last_finished(lineage) is not None:
                say(f"Re-scoring {task.name}, seed {lineage.seed}")
                found.append(_rescore_lineage(task, lineage, samples))
    return found


def refuse_gpu(result: Result) -> None:
    """Raises InputError if a GPU computed the claim: its numbers differ by more than is tolerated
    here, so that nothing could be said of it."""
    if gpu := find_claimed_gpu(result):
        raise InputError(
            f"{result.method.name} on {result.suite} was computed on a GPU ({gpu}), whose numbers "
            f"a CPU does not give again: it cannot be re-scored here and stays self-reported"
        )


def describe_agreement(result: Result, file: Path, rows: list[RescoredLineage]) -> str:
    """What it is worth that all `rows` of the claim in `file` agree, in one sentence."""
    said = f"all generations of {len(rows)} lineages follow from the samples that were sent"
    if are_frozen(result.suite, find_references(result, file)):
        return said
    return f"{said}; so were its references, which nobody recomputed"


def _rescore_lineage(task: Task, lineage: LineageResult, folder: Path) -> RescoredLineage:
    last = find_last_finished(lineage)
    assert last is not None
    # A new generator and evaluator for each lineage: what they keep is of its real items.
    bench = _Bench(task, lineage.seed, folder)
    row = _rescore(bench, lineage, 0)
    for t in range(1, last + 1):
        if not row.agrees:
            break
        row = _rescore(bench, lineage, t)
    return row


class _Bench:
    """What the generations of one lineage are recomputed with."""

    def __init__(self, task: Task, seed: int, folder: Path) -> None:
        self.task, self.seed, self.folder = task, seed, folder
        self.world, self.real = open_world(task, seed), RealItems()
        self.generator, self.evaluator = task.generator.build(), open_evaluator(task)
        self.first: Items  # what generation 0 wrote

    def profile(self, t: int) -> dict[str, float]:
        """The profile of generation `t` from what was sent of it.

        Raises:
            AutophagyError: it was not sent, is of another form, or holds real items.
        """
        task, names = self.task, name_samples(self.task.name, self.seed, t)
        published, trained = self.folder / names[0], self.folder / names[1]
        era, blank = self.world(t), self.generator.blank()
        real = era.heldout
        columns = _tensors(published, task.n * _bytes(real.columns) // len(real))
        items = _items(columns, real, task, self.generator.ranges, published)
        self._check_made(items, era, published)
        model = _model(blank, _tensors(trained, _bytes(blank.state_dict())), trained)
        if t == 0:
            self.first = items
        if isinstance(self.evaluator, LabelReader):
            check_labels(self.evaluator, items, lambda: self.first, str(published))
        return self.evaluator.profile(self.generator, model, items, era)

    def _check_made(self, items: Items, era: Era, path: Path) -> None:
        """Raises InputError where samples are real items of this era or an earlier one."""
        for real in (era.real, era.heldout, era.trusted):
            self.real.add(real)
        found = self.real.count(items)
        if found:
            raise InputError(f"{path} holds {found} real items: a model made none of them")
        for real in (era.real, era.heldout):
            found = count_likenesses(items, real)
            if found > FEW * len(items):
                raise InputError(
                    f"{path} holds {found} items that differ from real ones less than anybody sees"
                )


def _rescore(bench: _Bench, lineage: LineageResult, t: int) -> RescoredLineage:
    claimed, metric = lineage.generations[t].profile, bench.task.evaluation.primary
    nan = float("nan")
    value = claimed[metric]
    assert value is not None
    row = RescoredLineage(bench.task.name, lineage.seed, t, metric, value, nan, nan, "")
    try:
        profile = bench.profile(t)
    except AutophagyError as error:
        return replace(row, problem=str(error))
    if profile.keys() != claimed.keys():
        odd = ", ".join(sorted(profile.keys() ^ claimed.keys()))
        return replace(row, problem=f"the result has other metrics ({odd})")
    excess = {name: _excess(profile[name], number) for name, number in claimed.items()}
    worst = max(excess, key=lambda name: excess[name])
    return replace(row, recomputed=profile[metric], excess=excess[worst], worst=worst)


def _excess(recomputed: float, claimed: float | None) -> float:
    if claimed is None:
        return float("inf")
    difference = abs(recomputed - claimed) / (ABSOLUTE + RELATIVE * abs(claimed))
    return difference if difference == difference else float("inf")


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
