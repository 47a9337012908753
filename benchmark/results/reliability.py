"""How far a table of methods can be believed: pure functions of recoveries (methods, tasks, seeds).

Where nothing is paired by seeds, a list of (tasks, seeds) does as well, each of its own seeds.

Shapes as in rliable (Agarwal et al. 2021, "Deep reinforcement learning at the edge of the
statistical precipice", NeurIPS): an aggregate is a function of scores, an interval a resampling of
seeds within tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from benchmark.results.statistics import Scores, suite_score


def correlate_ranks(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Kendall's tau-b of two lists of scores; nan where one of them is constant."""
    from scipy.stats import kendalltau

    return float(kendalltau(np.asarray(one, float), np.asarray(other, float)).statistic)


def correlate_halves(scores: npt.ArrayLike) -> tuple[float, float]:
    """Kendall's tau between the rankings that two halves of the seeds give: the mean over all ways
    to halve them, and the least. An odd seed is in the larger half.

    Raises:
        ValueError: there are fewer than two seeds.
    """
    values = np.asarray(scores, float)
    seeds = range(values.shape[-1])
    if len(seeds) < 2:
        raise ValueError("halves need two seeds")
    found = []
    for half in itertools.combinations(seeds, len(seeds) // 2):
        rest = [seed for seed in seeds if seed not in half]
        if len(half) == len(rest) and 0 not in half:
            continue  # the same two halves the other way round
        one, other = (suite_score(values[..., list(of)]) for of in (half, rest))
        found.append(correlate_ranks(one, other))
    return float(np.mean(found)), float(np.min(found))


def correlate_tasks(scores: npt.ArrayLike) -> Scores:
    """(tasks, tasks) Kendall's tau between the rankings of the tasks."""
    means = np.asarray(scores, float).mean(-1)
    count = means.shape[1]
    found = np.eye(count)
    for i, j in itertools.combinations(range(count), 2):
        found[i, j] = found[j, i] = correlate_ranks(means[:, i], means[:, j])
    return found


def resample_ranks(
    scores: Sequence[npt.ArrayLike] | Scores,
    rng: np.random.Generator,
    draws: int = 2_000,
    confidence: float = 0.95,
    seeds: Sequence[Hashable] = (),
) -> npt.NDArray[np.int_]:
    """(methods, 2) lowest and highest rank (1 is best) of each method when seeds are drawn anew.

    Percentiles of a stratified bootstrap: in every task the seeds are drawn with replacement, the
    same ones for all methods of the same seeds, since they met the same data. With few seeds it
    covers too little; the ranks of `rank_intervals` follow from tests that do not.

    Args:
        scores: of each method (tasks, seeds).
        seeds: which these are of each method; without it, the same of all.
    """
    drawn: dict[Hashable, npt.NDArray[np.int_]] = {}
    rows = []
    for values, of in zip(map(np.asarray, scores), seeds or [()] * len(scores), strict=True):
        tasks, count = values.shape
        if of not in drawn:
            drawn[of] = rng.integers(count, size=(draws, tasks, count))
        rows.append(values[np.arange(tasks)[:, None], drawn[of]].mean((-2, -1)))
    means = np.stack(rows)  # (methods, draws)
    ranks = 1 + (means[None] > means[:, None]).sum(1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=1, method="closest_observation")
    return np.stack([low, high], axis=-1).astype(int)


def find_profile(scores: npt.ArrayLike, thresholds: npt.ArrayLike) -> Scores:
    """Performance profile: (..., tasks, seeds) -> (..., thresholds), the share of lineages whose
    recovery is above each threshold."""
    values = np.asarray(scores, float)
    above = values[..., None] > np.asarray(thresholds, float)
    return above.mean((-3, -2))


def find_improvement(scores: Sequence[npt.ArrayLike] | Scores) -> Scores:
    """(methods, methods) probability that a lineage of the row's method recovers more than one of
    the column's on the same task, averaged over tasks; ties count one half.

    Args:
        scores: of each method (tasks, seeds), in whatever number of seeds.
    """
    values = [np.asarray(of, float) for of in scores]
    found = np.empty((len(values), len(values)))
    for (i, one), (j, other) in itertools.product(enumerate(values), repeat=2):
        pairs = one[:, :, None], other[:, None, :]
        found[i, j] = (np.greater(*pairs) + 0.5 * np.equal(*pairs)).mean()
    return found


def separate_mates(tiers: npt.ArrayLike, better: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Pairs of methods that share a tier, and those among them that the tests separate."""
    levels = np.asarray(tiers)
    mates = np.triu(levels[:, None] == levels[None], 1)
    return int(mates.sum()), int((mates & (better | better.T)).sum())
