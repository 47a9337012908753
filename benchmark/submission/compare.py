"""Whether a claim and a re-run on other seeds agree, and what the re-run took. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.basics.errors import InputError
from benchmark.results.schema import Result
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


def compare_seconds(own: Result, nothing: Result) -> float | None:
    """How many times the processor time of `nothing` a method took, of generations that both
    computed after the first, evaluation left out; None where there are none.

    Steps are matched, so what is far above 1 is what hooks compute by themselves, which no ledger
    counts, or answers of the round, which the ledger counts.
    """
    took = [0.0, 0.0]
    for name, task in own.tasks.items():
        others = {lineage.seed: lineage for lineage in nothing.tasks[name].lineages}
        for lineage in task.lineages:
            pairs = zip(lineage.generations, others[lineage.seed].generations, strict=False)
            for pair in pairs:
                if pair[0].generation > 0 and all(g.status == "ok" for g in pair):
                    for i, generation in enumerate(pair):
                        took[i] += sum(generation.seconds.values())
                        took[i] -= generation.seconds.get("evaluate", 0.0)
    return took[0] / took[1] if took[1] > 0 else None
