"""Whether a claim and a re-run on other seeds agree. Pure; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.basics.errors import InputError
from benchmark.results.statistics import find_variances, join_variances

CAP = 0.15  # of recovery: a larger difference does not agree, however noisy the method


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
        """Whether chance alone may make the difference, and it is small."""
        return self.low <= 0 <= self.high and abs(self.difference) <= CAP


def compare_scores(
    claimed: npt.ArrayLike, rerun: npt.ArrayLike, confidence: float = 0.95
) -> Comparison:
    """The interval of the difference of two suite scores, from the re-run's variance alone.

    A claim says of itself how noisy it is, and could make room for any difference; so each of its
    seeds is taken to be as noisy as those of the re-run. The seeds differ, so nothing is paired. As
    in `benchmark.results.statistics.intervals`, tasks are strata and seeds the replicates, with
    Satterthwaite's degrees of freedom.

    Args:
        claimed: (tasks, seeds) recoveries.
        rerun: (tasks, other seeds) recoveries.

    Raises:
        InputError: the re-run has one seed only.
    """
    from scipy.stats import t

    claim, again = (np.asarray(values, float) for values in (claimed, rerun))
    seeds = again.shape[1]
    if seeds < 2:
        raise InputError("a re-run of one seed says nothing of chance: give at least two --seeds")
    parts, freedom = find_variances(again)
    # The variance of one seed over the number of seeds on either side.
    error, freedoms = join_variances([(parts * (1 + seeds / claim.shape[1]), freedom)])
    reach = float(t.ppf((1 + confidence) / 2, freedoms) * error) if error > 0 else 0.0
    gap = float(again.mean() - claim.mean())
    return Comparison(float(claim.mean()), float(again.mean()), gap, gap - reach, gap + reach)
