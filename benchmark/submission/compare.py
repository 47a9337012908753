"""Whether a claim and a re-run on other seeds agree, and what the re-run took. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.basics.errors import InputError
from benchmark.results.schema import Result, TaskResult
from benchmark.results.statistics import find_variances, join_variances
from benchmark.submission.claim import COUNTS

CAP = 0.15  # of recovery: a larger difference does not agree, however noisy the method
# A smaller one does, however even the re-run: the claim's references may be of another processor,
# on which a lineage is another draw, worth up to .06 (docs/numbers.md) and a third of that over
# the nine lineages of three seeds of three tasks.
FLOOR = 0.02
SLACK = 0.05  # of a ledger: so much less than in the re-run may be claimed
CHANCE = 0.005  # that an honest claim of random costs falls short of that, for an entry and task


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
        """Whether chance or another processor alone may make the difference, and it is small."""
        size = abs(self.difference)
        return size <= CAP and (size <= FLOOR or self.low <= 0 <= self.high)


NOT_COMPARED = Comparison(0.0, 0.0, 0.0, 0.0, 0.0)  # where no task has two scores


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


def find_understated(claim: Result, again: Result) -> str:
    """The first entry of a task's ledger that the claim has less of than the re-run, in words; ""
    where there is none.

    What is compared is the mean over lineages of what they took in the generations that both have,
    as neither numbers of seeds nor failed lineages are costs. It may fall short by `SLACK`, and by
    what chance may do to costs that differ between the lineages of the re-run.
    """
    from scipy.stats import t

    for name in again.tasks:
        for entry in COUNTS:
            claimed, found = (_gather_counts(of.tasks[name], entry) for of in (claim, again))
            both = ~(np.isnan(claimed).all(axis=0) | np.isnan(found).all(axis=0))
            if not both.any():
                continue
            claimed, found = claimed[:, both], found[:, both]
            # As the board does: of real items the most in any generation, of others the sum.
            fold = np.max if entry == "real_items" else np.sum
            said, took = (float(fold(np.nanmean(of, axis=0))) for of in (claimed, found))
            # How the lineages of the re-run differ, generation by generation.
            apart = np.nan_to_num(found - np.nanmean(found, axis=0))
            error = float(np.std(fold(apart, axis=1), ddof=1))
            error *= (1 / len(claimed) + 1 / len(found)) ** 0.5
            reach = float(t.ppf(1 - CHANCE, len(found) - 1)) * error
            if said < (1 - SLACK) * took - reach:
                return (
                    f"the claim's ledger of {name} has {said:,.0f} {entry} a lineage, the "
                    f"re-run's {took:,.0f}"
                )
    return ""


def _gather_counts(task: TaskResult, entry: str) -> npt.NDArray[np.float64]:
    """(lineages, generations) counts; nan where a generation did not go well."""
    counts = np.full((len(task.lineages), task.generations + 1), np.nan)
    for row, lineage in zip(counts, task.lineages, strict=True):
        for generation in lineage.generations:
            if generation.status == "ok":
                row[generation.generation] = generation.ledger.get(entry, 0)
    return counts


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
