"""Whether a claim and a re-run on other seeds agree. Pure; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.basics.errors import InputError


@dataclass(frozen=True)
class Comparison:
    """Suite scores of the claim and of the re-run, their difference and its 95% interval."""

    claimed: float
    rerun: float
    difference: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        return self.low <= 0 <= self.high


def compare_scores(
    claimed: npt.ArrayLike, rerun: npt.ArrayLike, confidence: float = 0.95
) -> Comparison:
    """Welch's interval (Biometrika 34, 1947) of the difference of two suite scores.

    The seeds differ, so nothing is paired. As in `benchmark.results.statistics.intervals`, tasks
    are strata and seeds the replicates: the variances of all task means add up, with
    Satterthwaite's degrees of freedom. One seed has no variance of its own and is given that of
    the other side.

    Args:
        claimed: (tasks, seeds) recoveries.
        rerun: (tasks, other seeds) recoveries.

    Raises:
        InputError: both have one seed only.
    """
    from scipy.stats import t

    sides = [np.asarray(values, float) for values in (claimed, rerun)]
    counts = [values.shape[1] for values in sides]
    if max(counts) < 2:
        raise InputError("one seed against one says nothing: give at least two --seeds")
    tasks = len(sides[0])
    widest = sides[int(counts[1] >= counts[0])]
    parts, freedoms = [], []
    for values, count in zip(sides, counts, strict=True):
        spread = values if count > 1 else widest
        parts.append(spread.var(axis=1, ddof=1) / (count * tasks**2))
        freedoms.append(np.full(tasks, spread.shape[1] - 1))
    part, freedom = np.concatenate(parts), np.concatenate(freedoms)
    total = part.sum()
    reach = 0.0
    if total > 0:
        reach = t.ppf((1 + confidence) / 2, total**2 / (part**2 / freedom).sum()) * total**0.5
    means = [float(values.mean()) for values in sides]
    gap = means[1] - means[0]
    return Comparison(means[0], means[1], gap, float(gap - reach), float(gap + reach))
