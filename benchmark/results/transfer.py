"""Does a cheap suite predict a dear one? Rank correlation over the methods that have both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.results.places import separate_samples
from benchmark.results.reliability import correlate_ranks
from benchmark.results.standings import Standing, make_sample
from benchmark.results.statistics import suite_score

FEWEST = 5  # methods; the interval needs more than four
EVERY = "all tasks"


@dataclass(frozen=True)
class Transfer:
    """How alike suite `one` and suite `other` rank the same methods.

    Attributes:
        tasks: `EVERY`, or the one task that is compared: of the same name in both suites, or, where
            none has that, of the same data (`digits-replace / digits-web`).
        methods: how many have results in both; the references are left out, as their scores are
            0 and 1 by definition, and methods that do not apply to all tasks.
        tau: Kendall's tau-b of the scores.
        interval: its 95% interval, see `tau_interval`.
        separated: pairs of these methods that the tests of `other` separate, see
            `benchmark.results.places.separate_samples`.
        agreed: those among them that `one` orders the same way.
    """

    one: str
    other: str
    tasks: str
    methods: int
    tau: float
    interval: tuple[float, float]
    separated: int
    agreed: int


def tau_interval(tau: float, n: int) -> tuple[float, float]:
    """95% interval of Kendall's tau of n methods, taken as drawn at random from many.

    By Fisher's transform, atanh(tau) +- 1.96 sqrt(0.437 / (n - 4)): Fieller, Hartley and Pearson,
    "Tests for rank correlation coefficients I", Biometrika 44, 1957. Of few methods the same order
    may be chance: a tau of 1 counts as half a step (a pair of n (n - 1) / 2 turned round is one)
    below it, or its interval would be a point.

    Raises:
        ValueError: n is below `FEWEST`.
    """
    if n < FEWEST:
        raise ValueError(f"an interval needs {FEWEST} methods")
    limit = 1 - 1 / math.comb(n, 2)
    centre = math.atanh(max(-limit, min(limit, tau)))
    reach = 1.96 * math.sqrt(0.437 / (n - 4))
    return min(tau, math.tanh(centre - reach)), max(tau, math.tanh(centre + reach))


def compare_suites(
    suites: Mapping[str, Sequence[Standing]], tell: Callable[[str], object] = lambda said: None
) -> list[Transfer]:
    """Every pair of suites, all tasks together and each task that both have (`pair_tasks`).

    Args:
        suites: the standings of each, the cheapest suite first.
        tell: is told why a pair, or one of its tasks, cannot be compared and is left out.

    Raises:
        InputError: fewer than two suites, or no pair can be compared: too few methods have results
            in both, or all of them score the same.
    """
    if len(suites) < 2:
        raise InputError(
            "a comparison needs results of two suites or more: give runs/quick/*.json and "
            "leaderboard/results/small/*.json, for example"
        )
    found: list[Transfer] = []
    left_out: list[str] = []
    for one, other in itertools.combinations(suites, 2):
        try:
            pairs = _find_both(suites, one, other)
            found.append(_transfer(one, other, None, *pairs))
        except InputError as error:
            left_out.append(str(error))
            continue
        shared = pair_tasks(*(list(standings[0].recoveries) for standings in pairs))
        for tasks in shared if len(shared) > 1 else ():
            try:
                found.append(_transfer(one, other, tasks, *pairs))
            except InputError as error:
                left_out.append(str(error))
    if not found:
        raise InputError("; ".join(left_out))
    for said in left_out:
        tell(said)
    return found


def _find_both(
    suites: Mapping[str, Sequence[Standing]], one: str, other: str
) -> tuple[list[Standing], list[Standing]]:
    """The standings of the methods that have results in both, in the same order.

    Raises:
        InputError: they are too few.
    """
    first, second = (
        {s.method: s for s in suites[n] if not s.reference and not s.partial} for n in (one, other)
    )
    both = [name for name in first if name in second]
    if len(both) < FEWEST:
        raise InputError(
            f"{len(both)} methods have results in both {one!r} and {other!r}: run "
            f"{FEWEST} or more on both"
        )
    return [first[name] for name in both], [second[name] for name in both]


def pair_tasks(one: Sequence[str], other: Sequence[str]) -> list[tuple[str, str]]:
    """The tasks of two suites that are compared: those of one name or, if there is none, those of
    the same data where each suite has one such task (a task is called DATA-SCHEDULE)."""
    same = [(name, name) for name in one if name in other]
    if same:
        return same
    data = [[name.split("-")[0] for name in names] for names in (one, other)]
    return [
        (name, other[data[1].index(kind)])
        for name, kind in zip(one, data[0], strict=True)
        if data[0].count(kind) == data[1].count(kind) == 1
    ]


def _transfer(
    one: str,
    other: str,
    tasks: tuple[str, str] | None,
    first: Sequence[Standing],
    second: Sequence[Standing],
) -> Transfer:
    if tasks is None:
        label, chosen = EVERY, list(second[0].recoveries)
        cheap = np.array([s.score for s in first], float)
    else:
        label, chosen = " / ".join(dict.fromkeys(tasks)), [tasks[1]]
        cheap = np.array([fmean(s.recoveries[tasks[0]]) for s in first])
    samples = [make_sample(s, chosen) for s in second]
    tau = correlate_ranks(cheap, [suite_score(sample.values) for sample in samples])
    if math.isnan(tau):
        raise InputError(
            f"all methods score the same in {one!r} or {other!r} ({label}): nothing to compare"
        )
    better = separate_samples(samples)
    alike = better & (cheap[:, None] > cheap)
    separated, agreed = int(better.sum()), int(alike.sum())
    interval = tau_interval(tau, len(first))
    return Transfer(one, other, label, len(first), tau, interval, separated, agreed)
