"""Does a cheap suite predict a dear one? Rank correlation over the methods that have both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from benchmark.basics.errors import InputError
from benchmark.results import statistics
from benchmark.results.reliability import correlate_ranks
from benchmark.results.standings import Standing

FEWEST = 5  # methods; the interval needs more than four
EVERY = "all tasks"


@dataclass(frozen=True)
class Transfer:
    """How alike suite `one` and suite `other` rank the same methods.

    Attributes:
        tasks: `EVERY`, or the one task, of the same name in both suites, that is compared.
        methods: how many have results in both; the references are left out, as their scores are
            0 and 1 by definition, and methods that do not apply to all tasks.
        tau: Kendall's tau-b of the scores.
        interval: its 95% interval, see `tau_interval`.
        separated: pairs of these methods that the paired tests of `other` separate, see
            `benchmark.results.statistics.find_better`.
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
    "Tests for rank correlation coefficients I", Biometrika 44, 1957.

    Raises:
        ValueError: n is below `FEWEST`.
    """
    if n < FEWEST:
        raise ValueError(f"an interval needs {FEWEST} methods")
    centre = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, tau)))
    reach = 1.96 * math.sqrt(0.437 / (n - 4))
    return math.tanh(centre - reach), math.tanh(centre + reach)


def compare_suites(suites: Mapping[str, Sequence[Standing]]) -> list[Transfer]:
    """Every pair of suites, all tasks together and each task that both have.

    Args:
        suites: the standings of each, the cheapest suite first.

    Raises:
        InputError: fewer than two suites, or too few methods have results in both of a pair.
    """
    if len(suites) < 2:
        raise InputError(
            "a comparison needs results of two suites or more: give runs/quick/*.json and "
            "leaderboard/results/small/*.json, for example"
        )
    found = []
    for one, other in itertools.combinations(suites, 2):
        first, second = (
            {s.method: s for s in suites[n] if not s.reference and not s.partial}
            for n in (one, other)
        )
        both = [name for name in first if name in second]
        if len(both) < FEWEST:
            raise InputError(
                f"{len(both)} methods have results in both {one!r} and {other!r}: run "
                f"{FEWEST} or more on both"
            )
        pairs = [first[name] for name in both], [second[name] for name in both]
        shared = [task for task in pairs[0][0].recoveries if task in pairs[1][0].recoveries]
        for tasks in (None, *(shared if len(shared) > 1 else ())):
            found.append(_transfer(one, other, tasks, *pairs))
    return found


def _transfer(
    one: str, other: str, task: str | None, first: Sequence[Standing], second: Sequence[Standing]
) -> Transfer:
    cheap = np.array([s.score if task is None else fmean(s.recoveries[task]) for s in first], float)
    chosen = [task] if task else list(second[0].recoveries)
    dear = np.array([[s.recoveries[name] for name in chosen] for s in second])
    tau = correlate_ranks(cheap, statistics.suite_score(dear))
    if math.isnan(tau):
        raise InputError(f"all methods score the same in {one!r} or {other!r}: nothing to compare")
    better = statistics.find_better(dear)
    alike = better & (cheap[:, None] > cheap)
    separated, agreed = int(better.sum()), int(alike.sum())
    interval = tau_interval(tau, len(first))
    return Transfer(one, other, task or EVERY, len(first), tau, interval, separated, agreed)
