"""Scores: pure functions of numbers; needs neither torch nor the harness.

One shape throughout: recoveries are (methods, tasks, seeds). A block is a (task, seed): all methods
met the same data, initial model and references there, so methods are compared block by block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
LEAST_GAP = 1e-6  # between the references, summed: less is no difference that one could recover


def recovery(method: Sequence[float], nothing: Sequence[float], clean: Sequence[float]) -> float:
    """Share of the avoidable degradation that a lineage avoided.

    recovery = 1 - sum_{t>=1} gap_t(method) / sum_{t>=1} gap_t(nothing), with
    gap_t = m_t - m_t(clean): 1 = as good as real data only, 0 = no mitigation.

    Generation 0, which all methods have in common, is left out.

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
    if lower.sum() < LEAST_GAP:
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
    error, freedom = _standard_error(values)
    return find_p(np.abs(suite_score(values)), error, freedom)


def find_p(centre: Scores, error: Scores, freedom: Scores) -> Scores:
    """Two-sided p values of distances from 0, their standard errors and degrees of freedom."""
    from scipy.special import stdtr  # lighter than scipy.stats.t

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


def separate_pairs(
    rows: Sequence[Scores], means: Scores, error: float = 0.05
) -> npt.NDArray[np.bool_]:
    """Which methods are significantly better than which, (M, M), from the p values of each method
    against those after it, and suite scores.

    Entry (i, j): the tests separate i from j in favour of i. After
    Holm's correction for all M (M - 1) / 2 comparisons the chance that any entry is wrong is
    `error` at most. With few seeds that holds as far as their t intervals do: simulated for 8 equal
    methods, 4 tasks and 3 or 5 seeds it is .02 to .04 when the noise of the tasks differs by up to
    four, and .09 when one task is four times as noisy as all the others.
    """
    count = len(means)
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
    """Tiers 1, 2, ... from the best: (methods, tasks, seeds) and `separate_pairs` of them -> (M,).

    In the order of suite scores, a new tier begins with the first method that the head of the tier,
    its first, is significantly better than. So the heads are all separated, and the chance that any
    tier begins wrongly is the error of `separate_pairs` at most. Other methods of two tiers need
    not be separated (a noisy one never is), which `rank_intervals` tell: a tier that asked for it
    would hold nearly all methods as soon as one of them is noisy.
    """
    return split_tiers(suite_score(scores), better)


def split_tiers(means: Scores, better: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """The same from the suite scores (M,)."""
    order = np.argsort(-means, kind="stable")
    result = np.empty(len(order), int)
    head, tier = order[0], 1
    for method in order:
        if better[head, method]:
            head, tier = method, tier + 1
        result[method] = tier
    return result


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
    error, freedom = join_variances([find_variances(values)])
    return error, np.where(error > 0, freedom, tasks * (seeds - 1.0))


def find_variances(values: Scores) -> tuple[Scores, float]:
    """Of each task's mean (..., tasks), and the degrees of freedom of each."""
    seeds = values.shape[-1]
    return values.var(axis=-1, ddof=1) / seeds, seeds - 1


def join_variances(parts: Sequence[tuple[Scores, float]]) -> tuple[Scores, Scores]:
    """Standard error and Satterthwaite's degrees of freedom of a sum or difference of means over
    tasks, from the variances of the tasks' means (..., tasks) and the freedom of each."""
    tasks = parts[0][0].shape[-1]
    total = sum((part.sum(axis=-1) for part, _ in parts), np.zeros(()))
    weight = sum((np.square(part).sum(axis=-1) / freedom for part, freedom in parts), np.zeros(()))
    least = min(freedom for _, freedom in parts)
    freedom = np.divide(
        np.square(total), weight, out=np.full_like(total + weight, least), where=weight > 0
    )
    return np.sqrt(total) / tasks, freedom
