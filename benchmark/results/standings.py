"""Who stands where: results of several methods, made comparable, scored and ranked.

Needs neither torch nor a terminal, so that whatever shows a board can use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile
from typing import Any

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.interface.access import Access, tier
from benchmark.interface.names import REFERENCES
from benchmark.results import statistics
from benchmark.results.costs import Costs, sum_costs
from benchmark.results.places import Sample, place_methods
from benchmark.results.schema import LineageResult, Result

ABOVE = 1.0 + 1e-9  # a score that is better than real data only, but for rounding


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One method by itself: its recoveries and what they took.

    Attributes:
        access: the names it declares, such as ("ARCHIVE", "RESERVE").
        access_tier: their name on the board, such as "archive + reserve".
        recoveries: for each task, one recovery a seed; none where the method does not apply.
        seeds: of the recoveries of a task, in their order.
        failed: for each task, the lineages that did not reach the last generation.
        lineages: how many lineages it has in all.
        reference: whether it is `nothing` or `clean`, which score 0 and 1 by definition.
        trusted: whether maintainers measured the recoveries (or they are so by definition).
    """

    method: str
    access: tuple[str, ...]
    access_tier: str
    recoveries: dict[str, list[float]]
    failed: dict[str, int]
    lineages: int
    costs: Costs
    reference: bool
    trusted: bool = False
    seeds: tuple[int, ...] = ()

    @property
    def inapplicable(self) -> tuple[str, ...]:
        """The tasks that it does not apply to."""
        return tuple(task for task, values in self.recoveries.items() if not values)

    @property
    def lost(self) -> int:
        """Lineages of any task that did not reach the last generation."""
        return sum(self.failed.values())


@dataclass(frozen=True, kw_only=True)
class Standing(Scored):
    """One method among others.

    Attributes:
        tier: 1 is best; None with one seed, where nothing can be told apart, and of a method that
            does not apply to all tasks.
        ranks: the best and the worst rank that the comparisons allow; None as the tier.
        score: suite score, the mean over tasks and seeds of the recoveries; over the tasks that
            the method applies to. None where it applies to none of them.
        interval: its 95% interval; None with one seed.
        ranked: the tasks that are ranked, all or some of those that have recoveries.
    """

    tier: int | None
    ranks: tuple[int, int] | None
    score: float | None
    interval: tuple[float, float] | None
    ranked: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether some of the ranked tasks are not applicable: what is left is another score."""
        return any(not self.recoveries[task] for task in self.ranked or self.recoveries)

    @property
    def warning(self) -> str:
        """What a reader must know of the score; "" if nothing."""
        if self.score is not None and self.score > ABOVE and not (self.trusted or self.reference):
            return "above 1, that is, better than real data only: not checked by maintainers"
        return ""


def rank_results(results: Mapping[Any, Result]) -> list[Standing]:
    """Every method's standing, the best suite score first.

    Args:
        results: by a label that messages name, such as the file each was read from; the two
            references among them.

    Raises:
        InputError: they cannot be compared, a reference is missing or did not finish, or a
            block's references do not differ.
    """
    check_comparable(results)
    by_name = {result.method.name: result for result in results.values()}
    for name in REFERENCES:
        if name not in by_name:
            raise InputError(f"scores need the result of {name!r}, a reference, among the others")
    lower, upper = (by_name[name] for name in REFERENCES)
    return rank_methods([score_result(result, lower, upper) for result in by_name.values()])


def score_result(result: Result, nothing: Result, clean: Result) -> Scored:
    """A result scored against its references; tasks in the order of `nothing`.

    Raises:
        InputError: a reference did not finish, or the two do not differ.
    """
    tasks = list(nothing.tasks)
    lineages = [lineage for task in result.tasks.values() for lineage in task.lineages]
    return Scored(
        method=result.method.name,
        access=tuple(result.method.access),
        access_tier=tier(frozenset(Access[a] for a in result.method.access)),
        recoveries={task: score_task(result, task, nothing, clean) for task in tasks},
        seeds=tuple(list_seeds(result, tasks[0])),
        failed={task: count_failed(result, task) for task in tasks},
        lineages=len(lineages),
        costs=sum_costs(lineages),
        reference=result.method.name in REFERENCES,
    )


def rank_methods(
    methods: Sequence[Scored], tasks: Sequence[str] | None = None, anchored: bool = False
) -> list[Standing]:
    """Where methods stand on some tasks, or on all of them; the best suite score first.

    Methods that do not apply to all of these tasks come last, without tier and ranks.

    Args:
        tasks: in any order; scores are summed in that of the recoveries, so that whoever asks gets
            equal numbers to the last digit.
        anchored: tiers and ranks are made of the methods that are trusted, and the others are
            placed among them; else of all.
    """
    order = list(methods[0].recoveries)
    chosen = tuple(order if tasks is None else sorted(tasks, key=order.index))
    whole = [method for method in methods if all(method.recoveries[task] for task in chosen)]
    samples = [make_sample(method, chosen) for method in whole]
    anchors = [method.trusted or method.reference for method in whole] if anchored else []
    places = dict(zip(map(id, whole), place_methods(samples, anchors), strict=True))
    found = []
    for method in methods:
        of_one = {field.name: getattr(method, field.name) for field in fields(Scored)}
        place = vars(places[id(method)]) if id(method) in places else _place_part(method, chosen)
        found.append(Standing(**of_one, **place, ranked=chosen))
    return sorted(found, key=lambda s: (s.partial, -s.score if s.score is not None else 0.0))


def make_sample(method: Scored, tasks: Sequence[str]) -> Sample:
    """Its recoveries on tasks that it applies to, and which seeds they are of: what tests compare,
    in whatever number of seeds."""
    return Sample(np.array([method.recoveries[task] for task in tasks], float), method.seeds)


def _place_part(method: Scored, tasks: Sequence[str]) -> dict[str, Any]:
    """Score and interval over the tasks that the method applies to: no place among others."""
    there = [task for task in tasks if method.recoveries[task]]
    if not there:
        return {"score": None, "interval": None, "tier": None, "ranks": None}
    (alone,) = place_methods([make_sample(method, there)])
    return vars(alone) | {"tier": None, "ranks": None}


def check_comparable(results: Mapping[Any, Result]) -> None:
    """Refuse results that do not belong in one table.

    Raises:
        InputError: no result; one with no task, uneven seeds or an unknown access; two of the same
            method, or of other suites, tasks, versions of a task, or seeds. Names the labels.
    """
    if not results:
        raise InputError("there is no result to score")
    for label, result in results.items():
        seeds = {tuple(list_seeds(result, name)) for name in result.tasks}
        if len(seeds) != 1 or not min(seeds) or len(set(min(seeds))) < len(min(seeds)):
            raise InputError(f"{label} does not hold each seed once on every task: run it again")
        unknown = [name for name in result.method.access if name not in Access.__members__]
        if unknown:
            raise InputError(f"{label} declares an access that is not known here: {unknown[0]}")
    (first, some), *others = results.items()
    owners = {some.method.name: first}
    for label, result in others:
        owner = owners.setdefault(result.method.name, label)
        if owner != label:
            raise InputError(
                f"{owner} and {label} are both results of {result.method.name!r}: "
                f"give every method once"
            )
        if result.suite != some.suite:
            raise InputError(
                f"{first} is of suite {some.suite!r} and {label} of suite {result.suite!r}: "
                f"score each suite by itself"
            )
        if result.tasks.keys() != some.tasks.keys():
            odd = ", ".join(sorted(result.tasks.keys() ^ some.tasks.keys()))
            raise InputError(
                f"{first} and {label} were run on different tasks (only one has {odd}): "
                f"run both on the same"
            )
        for name, task in result.tasks.items():
            if task.hash != some.tasks[name].hash:
                raise InputError(
                    f"{first} and {label} were run on different versions of {name} (task hash "
                    f"{some.tasks[name].hash[:8]} and {task.hash[:8]}): run both again with one "
                    f"version of the benchmark"
                )
            one, other = list_seeds(some, name), list_seeds(result, name)
            if one != other:
                raise InputError(
                    f"{first} and {label} have different seeds "
                    f"({', '.join(map(str, one))} and {', '.join(map(str, other))}): "
                    f"run both with the same --seeds"
                )


def list_seeds(result: Result, task: str) -> list[int]:
    """The seeds that were run on a task, in order."""
    return sorted(lineage.seed for lineage in result.tasks[task].lineages)


def score_task(result: Result, task: str, nothing: Result, clean: Result) -> list[float]:
    """The recovery of every seed on one task, in order of the seeds; none if it does not apply.

    Raises:
        InputError: a reference did not finish, or the two do not differ.
    """
    lower, upper = _curves(nothing, task), _curves(clean, task)
    for reference, curves in ((nothing, lower), (clean, upper)):
        for seed, curve in curves.items():
            if len(curve) <= result.tasks[task].generations:
                raise InputError(
                    f"the reference {reference.method.name!r} did not finish {task}, seed {seed}: "
                    f"without it there is no score"
                )
    if not result.tasks[task].applicable:
        return []
    found = []
    for seed, curve in _curves(result, task).items():
        try:
            found.append(statistics.recovery(curve, lower[seed], upper[seed]))
        except ValueError as error:
            raise InputError(
                f"{task}, seed {seed} cannot be scored: {error} (more generations or items make "
                f"the references differ)"
            ) from error
    return found


def count_failed(result: Result, task: str) -> int:
    """How many lineages of a task did not reach its last generation."""
    generations = result.tasks[task].generations
    if not result.tasks[task].applicable:
        return 0
    return sum(len(curve) <= generations for curve in _curves(result, task).values())


def _curves(result: Result, task: str) -> dict[int, list[float]]:
    """Seed -> primary metric of generations 0, 1, ... up to the first that has none."""
    metric = result.tasks[task].primary
    return {
        lineage.seed: _curve(lineage, metric)
        for lineage in sorted(result.tasks[task].lineages, key=lambda lineage: lineage.seed)
    }


def _curve(lineage: LineageResult, metric: str) -> list[float]:
    done = takewhile(lambda g: g.status == "ok", lineage.generations)
    values = (g.profile.get(metric) for g in done)
    return [v for v in takewhile(lambda v: v is not None, values) if v is not None]
