"""Scores: pure functions of numbers; needs neither torch nor the harness.

One shape throughout: recoveries are (methods, tasks, seeds). A block is a (task, seed): all methods
met the same data, initial model and references there, so methods are compared block by block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


def recovery(method: Sequence[float], nothing: Sequence[float], clean: Sequence[float]) -> float:
    """Share of the avoidable degradation that a lineage avoided.

    recovery = 1 - sum_{t>=1} gap_t(method) / sum_{t>=1} gap_t(nothing), with
    gap_t = m_t - m_t(clean): 1 = as good as real data only, 0 = no mitigation.

    Args:
        method: primary metric (lower is better) of generations 0..k of the lineage; k < T when it
            failed, and then the missing generations count with the worst gap seen and the result
            is at most 0.
        nothing: the same of generations 0..T for the lower reference, same task and seed.
        clean: the same for the upper reference.

    Raises:
        ValueError: the references are incomplete, or do not differ.
    """
    if len(nothing) != len(clean) or len(nothing) < 2:
        raise ValueError("both references must have all generations")
    lower = np.asarray(nothing, float)[1:] - np.asarray(clean, float)[1:]
    if lower.sum() <= 0:
        raise ValueError("the lower reference is no worse than the upper one: nothing to recover")
    seen = np.asarray(method, float)[1:] - np.asarray(clean, float)[1 : len(method)]
    missing = len(lower) - len(seen)
    if missing == 0:
        return float(1 - seen.sum() / lower.sum())
    worst = max(lower.max(), seen.max(initial=-np.inf))
    return min(0.0, float(1 - (seen.sum() + missing * worst) / lower.sum()))


def suite_score(scores: npt.ArrayLike) -> Scores:
    """The mean over tasks of the mean over seeds: (..., tasks, seeds) -> (...)."""
    return _checked(scores).mean(axis=(-2, -1))


def intervals(values: npt.ArrayLike, confidence: float = 0.95) -> Scores:
    """Stratified t intervals of the suite score: (..., tasks, seeds) -> (..., 2), low and high.

    Tasks are fixed and seeds are the replicates: the variance is taken within each task, and the
    variances of the task means add up. The degrees of freedom are Satterthwaite's (Biometrics
    Bulletin 2, 1946): tasks * (seeds - 1) when all tasks are equally noisy, seeds - 1 when one
    task makes all the noise. Counting tasks * (seeds - 1) in any case would cover too little as
    soon as one task is noisier than the others. A percentile bootstrap covers too little with few
    seeds (Agarwal et al. 2021 use it with many).

    One seed says nothing of the variance: the interval is then (nan, nan).
    """
    values = _checked(values)
    if values.shape[-1] == 1:
        return np.full((*values.shape[:-2], 2), np.nan)
    from scipy.stats import t

    error, freedom = _standard_error(values)
    reach = t.ppf((1 + confidence) / 2, freedom) * error
    centre = suite_score(values)
    return np.stack([centre - reach, centre + reach], axis=-1)


def p_values(values: npt.ArrayLike) -> Scores:
    """Two-sided p values of "the suite score is 0": (..., tasks, seeds) -> (...).

    The test that belongs to `intervals`. Values without any variance have p = 1 where their mean
    is 0, and 0 elsewhere. With one seed there is no evidence: p = 1.
    """
    values = _checked(values)
    if values.shape[-1] == 1:
        return np.ones(values.shape[:-2])
    from scipy.special import stdtr  # lighter than scipy.stats.t

    error, freedom = _standard_error(values)
    centre = np.abs(suite_score(values))
    certain = np.where(centre > 0, np.inf, 0.0)
    statistic = np.divide(centre, error, out=certain, where=error > 0)
    return 2 * stdtr(freedom, -statistic)


def holm(p: npt.ArrayLike) -> Scores:
    """Adjusted p values (n,) of n tests: those below 0.05 have a family-wise error below 0.05.

    Holm (1979) rather than a procedure of Tukey's kind: it holds under any dependence between the
    tests, and pairs that share a method are dependent; it needs no common variance, and a method
    that collapses varies more than one that does not; it draws nothing at random.
    """
    p = np.asarray(p, float)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1)


def find_better(scores: npt.ArrayLike, error: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which methods are significantly better than which: (methods, tasks, seeds) -> (M, M).

    Entry (i, j): the paired test separates i from j in favour of i: that of their differences,
    block by block, in which what they share (references, data, initial model) cancels. After
    Holm's correction for all M (M - 1) / 2 comparisons the chance that any entry is wrong is
    `error` at most. With few seeds that holds as far as their t intervals do: simulated for 8 equal
    methods, 4 tasks and 3 or 5 seeds it is .02 to .04 when the noise of the tasks differs by up to
    four, and .09 when one task is four times as noisy as all the others.
    """
    values = _checked(scores)
    count, means = len(values), suite_score(values)
    # Row by row of the upper triangle: all pairs at once would not fit in memory for thousands.
    rows = [p_values(values[i] - values[i + 1 :]) for i in range(count - 1)]
    separated = np.zeros((count, count), bool)
    separated[np.triu_indices(count, 1)] = holm(np.concatenate([*rows, []])) < error
    return (separated | separated.T) & (means[:, None] > means)


def rank_intervals(better: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """Best and worst rank of each method that the comparisons allow: (M, M) -> (M, 2).

    A method's rank is at least 1 + the number of methods significantly better than it, and at
    most M - the number significantly worse.
    """
    return np.stack([1 + better.sum(axis=0), len(better) - better.sum(axis=1)], axis=-1)


def tiers(scores: npt.ArrayLike, better: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """Tiers 1, 2, ... from the best: (methods, tasks, seeds) and `find_better` of them -> (M,).

    In the order of suite scores, a new tier begins with the first method that the head of the tier,
    its first, is significantly better than. So the heads are all separated, and the chance that any
    tier begins wrongly is the error of `find_better` at most. Other methods of two tiers need not
    be separated (a noisy one never is), which `rank_intervals` tell: a tier that asked for it would
    hold nearly all methods as soon as one of them is noisy.
    """
    order = np.argsort(-suite_score(scores), kind="stable")
    result = np.empty(len(order), int)
    head, tier = order[0], 1
    for method in order:
        if better[head, method]:
            head, tier = method, tier + 1
        result[method] = tier
    return result


@dataclass(frozen=True)
class Place:
    """Where a method stands; `interval` and the rest are None where one seed tells nothing apart.

    Attributes:
        score: the suite score.
        interval: its 95% interval.
        tier: see `tiers`.
        ranks: best and worst rank.
    """

    score: float
    interval: tuple[float, float] | None = None
    tier: int | None = None
    ranks: tuple[int, int] | None = None


def place_methods(scores: npt.ArrayLike) -> list[Place]:
    """(methods, tasks, seeds) -> the place of each method among the others."""
    values = _checked(scores)
    means = suite_score(values).tolist()
    if values.shape[-1] == 1:
        return [Place(mean) for mean in means]
    found = find_better(values)
    spans, ranks = intervals(values).tolist(), rank_intervals(found).tolist()
    each = zip(means, spans, tiers(values, found).tolist(), ranks, strict=True)
    return [Place(m, (low, high), t, (first, last)) for m, (low, high), t, (first, last) in each]


def _checked(values: npt.ArrayLike) -> Scores:
    """The array, which must have axes (..., tasks, seeds) and no NaN.

    Raises:
        ValueError: it does not. A failed lineage has a score, see `recovery`.
    """
    array = np.asarray(values, float)
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(f"scores need axes (..., tasks, seeds), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("scores must be finite: a failed lineage is scored, not left out")
    return array


def _standard_error(values: Scores) -> tuple[Scores, Scores]:
    """Standard error of the suite score and its degrees of freedom, (...) each."""
    tasks, seeds = values.shape[-2:]
    parts = values.var(axis=-1, ddof=1) / seeds  # variance of each task's mean
    total = parts.sum(axis=-1)
    # Shares of the variance: equal where there is none.
    shares = np.divide(
        parts, total[..., None], out=np.full_like(parts, 1 / tasks), where=total[..., None] > 0
    )
    return np.sqrt(total) / tasks, (seeds - 1) / np.square(shares).sum(axis=-1)
