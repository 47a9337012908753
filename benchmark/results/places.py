"""Where methods stand among one another: tiers and ranks, which some of them make.

Pure functions of numbers, as `benchmark.results.statistics`; the seeds of methods may differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmark.results.statistics import (
    Scores,
    find_p,
    find_variances,
    holm,
    intervals,
    join_variances,
    p_values,
    rank_intervals,
    separate_pairs,
    split_tiers,
    suite_score,
)


@dataclass(frozen=True)
class Sample:
    """One method's recoveries (tasks, seeds), and which seeds they are of."""

    values: Scores
    seeds: tuple[int, ...]


def compare_samples(one: Sequence[Sample], other: Sequence[Sample]) -> Scores:
    """Two-sided p values (A, B) of "both have the same suite score".

    Of the same seeds, the paired test of the differences, block by block, in which what both share
    (references, data, initial model) cancels; see `p_values`. Of other seeds nothing is shared, and
    it is Welch's test (Biometrika 34, 1947) with tasks as strata. One seed is no evidence: p = 1.
    """
    found = np.ones((len(one), len(other)))
    by_seeds: dict[tuple[int, ...], list[int]] = {}
    for j, sample in enumerate(other):
        by_seeds.setdefault(sample.seeds, []).append(j)
    stacks = {seeds: np.stack([other[j].values for j in of]) for seeds, of in by_seeds.items()}
    for i, sample in enumerate(one):
        for seeds, of in by_seeds.items():
            if sample.seeds == seeds:
                found[i, of] = p_values(sample.values - stacks[seeds])
            elif len(seeds) > 1 and len(sample.seeds) > 1:
                found[i, of] = _welch(sample.values, stacks[seeds])
    return found


def find_difference(
    one: Sample, other: Sample
) -> tuple[float, tuple[float, float] | None, float | None]:
    """The difference of two suite scores, its 95% interval and the p value of its test, paired as
    in `compare_samples`; the latter two are None where one of them has one seed."""
    gap = float(suite_score(one.values) - suite_score(other.values))
    if min(one.values.shape[-1], other.values.shape[-1]) < 2:
        return gap, None, None
    if one.seeds == other.seeds:
        low, high = intervals(one.values - other.values).tolist()
    else:
        from scipy.stats import t

        error, freedom = join_variances([find_variances(s.values) for s in (one, other)])
        reach = float(t.ppf(0.975, freedom) * error)
        low, high = gap - reach, gap + reach
    return gap, (low, high), float(compare_samples([one], [other])[0, 0])


def _welch(values: Scores, others: Scores) -> Scores:
    """p values (B,) of (tasks, seeds) against each of (B, tasks, other seeds)."""
    centre = np.abs(suite_score(values) - suite_score(others))
    error, freedom = join_variances([find_variances(values), find_variances(others)])
    return find_p(centre, error, freedom)


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


def place_methods(samples: Sequence[Sample], anchors: Sequence[bool] = ()) -> list[Place]:
    """The place of each method among the others, in their order.

    Tiers and ranks are made of the `anchors`, or of all where none is given, and no other method
    changes them. Each of the others is compared with the anchors alone, with Holm's correction for
    these comparisons, and placed: in the first tier whose head is not better than it, or else the
    last; its ranks are those that it could have if it joined them by itself.

    Where an anchor has one seed nothing is told apart: there are no tiers and ranks, and who has
    more seeds, as a re-run in a suite of one, has an interval only.
    """
    several, chosen = _has_several(samples), _choose_anchors(samples, anchors)
    if not chosen:
        return [_place_alone(sample) for sample in samples]
    heads_of = [samples[i] for i in chosen]
    means = np.array([suite_score(sample.values) for sample in heads_of])
    better = separate_samples(heads_of)
    levels, ranks = split_tiers(means, better), rank_intervals(better)
    heads = [int(np.flatnonzero(levels == level)[np.argmax(means[levels == level])])
             for level in range(1, levels.max() + 1)]  # fmt: skip
    inside = {i: (int(levels[k]), ranks[k]) for k, i in enumerate(chosen)}
    found = []
    for i, sample in enumerate(samples):
        alone = _place_alone(sample)
        if not several[i]:
            found.append(alone)
            continue
        if i in inside:
            level, (first, last) = inside[i]
        else:
            apart = holm(compare_samples([sample], heads_of)[0]) < 0.05
            above, below = apart & (means > alone.score), apart & (means < alone.score)
            first, last = 1 + int(above.sum()), len(chosen) + 1 - int(below.sum())
            level = next((n for n, head in enumerate(heads, 1) if not above[head]), len(heads))
        found.append(Place(alone.score, alone.interval, level, (int(first), int(last))))
    return found


def _has_several(samples: Sequence[Sample]) -> list[bool]:
    return [sample.values.shape[-1] > 1 for sample in samples]


def _choose_anchors(samples: Sequence[Sample], anchors: Sequence[bool]) -> list[int]:
    """Of whom tiers and ranks are made, by place; nobody where one of them has a single seed."""
    chosen = [i for i in range(len(samples)) if not anchors or anchors[i]]
    several = _has_several(samples)
    return chosen if all(several[i] for i in chosen) else []


def _place_alone(sample: Sample) -> Place:
    """Its score and interval, which hang on no other method."""
    values = sample.values
    if values.shape[-1] == 1:
        return Place(float(suite_score(values)))
    low, high = intervals(values).tolist()
    return Place(float(suite_score(values)), (low, high))


def separate_samples(samples: Sequence[Sample], error: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which methods are significantly better than which, (methods, methods), whatever seeds each
    has: see `statistics.separate_pairs`."""
    means = np.array([suite_score(sample.values) for sample in samples])
    return separate_pairs(_compare_all(samples), means, error)


def _compare_all(samples: Sequence[Sample]) -> list[Scores]:
    """p values of each method against those after it."""
    return [compare_samples([one], samples[i:])[0] for i, one in enumerate(samples[:-1], 1)]


def correct_pair(
    samples: Sequence[Sample], anchors: Sequence[bool], i: int, j: int
) -> tuple[float, int]:
    """The p value of "i and j have the same suite score", corrected as `place_methods` does.

    Two anchors are compared among all pairs of anchors, another method among its comparisons with
    the anchors, and two others among those of both and their own; where there are no tiers, the two
    by themselves. Below 0.05 they are separated.

    Returns:
        Holm's adjusted p value, and the number of tests that it is corrected for.
    """
    chosen = _choose_anchors(samples, anchors)
    heads, others = [samples[k] for k in chosen], [k for k in (i, j) if k not in chosen]
    if others:
        pairs = [(k, anchor) for k in others for anchor in chosen]
        rows = list(compare_samples([samples[k] for k in others], heads))
        if len(others) == 2:
            pairs.append((i, j))
            rows.append(compare_samples([samples[i]], [samples[j]])[0])
    else:
        pairs = list(itertools.combinations(chosen, 2))
        rows = _compare_all(heads)
    wanted = next(place for place, pair in enumerate(pairs) if {*pair} == {i, j})
    return float(holm(np.concatenate(rows))[wanted]), len(pairs)
