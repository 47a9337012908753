"""Scores by hand-computed cases, and what intervals and tiers are worth, by simulation."""

import numpy as np
import pytest
import scipy.stats

from benchmark.results.places import Sample, separate_samples
from benchmark.results.statistics import (
    holm,
    intervals,
    p_values,
    rank_intervals,
    recovery,
    suite_score,
    tiers,
)


def find_better(scores):
    """`separate_samples` of (methods, tasks, seeds) recoveries, all of the same seeds."""
    values = np.asarray(scores, float)
    return separate_samples([Sample(of, tuple(range(of.shape[-1]))) for of in values])


CLEAN = [1.0, 1.0, 1.0, 1.0]
NOTHING = [1.0, 2.0, 3.0, 4.0]  # gaps 1, 2, 3


def test_references_score_0_and_1():
    assert recovery(NOTHING, NOTHING, CLEAN) == 0
    assert recovery(CLEAN, NOTHING, CLEAN) == 1


def test_share_of_the_degradation_avoided():
    assert recovery([1.0, 1.5, 2.0, 2.5], NOTHING, CLEAN) == 0.5


def test_above_1_and_below_0_are_possible():
    assert recovery([1.0, 0.0, 1.0, 1.0], NOTHING, CLEAN) == pytest.approx(7 / 6)
    assert recovery([1.0, 4.0, 5.0, 6.0], NOTHING, CLEAN) == -1


def test_generation_0_does_not_count():
    assert recovery([99.0, 1.5, 2.0, 2.5], NOTHING, CLEAN) == 0.5


def test_gaps_are_to_clean_of_the_same_generation():
    assert recovery([1, 3, 5], [1, 4, 7], [1, 2, 3]) == 0.5


def test_a_failed_lineage_fills_up_with_the_worst_gap_and_scores_at_most_0():
    assert recovery([1.0, 1.0], NOTHING, CLEAN) == 0  # 1 - (0 + 3 + 3) / 6
    assert recovery([1.0, 11.0], NOTHING, CLEAN) == -4  # 1 - (10 + 10 + 10) / 6
    assert recovery([1.0, 1.0, 1.0], NOTHING, CLEAN) == 0  # would be .5: at most 0
    assert recovery([], NOTHING, CLEAN) == -0.5  # 1 - (3 + 3 + 3) / 6


def test_incomplete_or_equal_references_are_refused():
    with pytest.raises(ValueError, match="all generations"):
        recovery(NOTHING, NOTHING[:3], CLEAN)
    with pytest.raises(ValueError, match="nothing to recover"):
        recovery(NOTHING, CLEAN, CLEAN)


# Two methods, two tasks, two seeds. Method 0: tasks' means .3 and .7, variances .02 and .02.
SMALL = np.array([[[0.2, 0.4], [0.6, 0.8]], [[0.1, 0.1], [0.5, 0.5]]])


def test_suite_score_is_the_mean_over_tasks_and_seeds():
    assert suite_score(SMALL) == pytest.approx([0.5, 0.3])


def test_interval_by_hand():
    # Variance of a task's mean .02 / 2 = .01; of the suite score (.01 + .01) / 4 = .005.
    # Equal noise: 2 * (2 - 1) degrees of freedom, t = 4.302653.
    low, high = intervals(SMALL)[0]
    assert (low, high) == pytest.approx((0.5 - 4.302653 * 0.005**0.5, 0.5 + 4.302653 * 0.005**0.5))


def test_one_noisy_task_has_the_degrees_of_freedom_of_its_own_seeds():
    # Only the first task varies: 2 - 1 degrees of freedom, t = 12.706205, error sqrt(.01) / 2.
    low, high = intervals([[[0.2, 0.4], [0.7, 0.7]]])[0]
    assert (low, high) == pytest.approx((0.5 - 12.706205 * 0.05, 0.5 + 12.706205 * 0.05))


def test_satterthwaite_between_the_two():
    # Variances of the tasks' means .01 and .04, shares 1/5 and 4/5: 1 / (1/25 + 16/25) = 25/17.
    values = np.array([[0.2, 0.4], [0.5, 0.9]])
    error = ((0.01 + 0.04) / 4) ** 0.5
    low, high = intervals(values, confidence=0.8)
    assert high - low == pytest.approx(2 * scipy.stats.t.ppf(0.9, 25 / 17) * error)


def test_pairs_are_compared_within_blocks():
    # A block's common shift cancels: the difference is .1 in every block, without variance.
    shift = np.array([[0.0, 5.0], [-3.0, 1.0]])
    scores = np.array([shift + 0.1, shift])
    assert find_better(scores).tolist() == [[False, True], [False, False]]
    unpaired = np.array([shift + 0.1, shift[:, ::-1]])
    assert not find_better(unpaired).any()


def test_p_value_belongs_to_the_interval():
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 0.3, (50, 4, 3))
    p = p_values(values)
    for confidence in (0.8, 0.95):
        low, high = intervals(values, confidence).T
        assert ((p < 1 - confidence) == ((low > 0) | (high < 0))).all()
    one_task = values[:, :1]
    ours, scipys = p_values(one_task), scipy.stats.ttest_1samp(one_task[:, 0], 0, axis=1).pvalue
    assert ours == pytest.approx(scipys)


def test_values_without_variance_are_certain():
    assert p_values(np.zeros((4, 3))) == 1
    assert p_values(np.ones((4, 3))) == 0
    assert intervals(np.ones((4, 3))) == pytest.approx((1, 1))


def test_holm_by_hand():
    # Times 4, 3, 2, 1 in ascending order, never falling, at most 1.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1, 1])
    assert len(holm([])) == 0


def test_one_seed_separates_nothing():
    scores = [[[0.0], [0.0]], [[9.0], [9.0]]]
    assert np.isnan(intervals(scores)).all()
    assert (p_values(scores) == 1).all()
    assert not find_better(scores).any()
    assert rank_intervals(find_better(scores)).tolist() == [[1, 2], [1, 2]]
    assert tiers(scores, find_better(scores)).tolist() == [1, 1]


def test_a_lone_method_is_first():
    scores = [[[0.1, 0.2]]]
    assert rank_intervals(find_better(scores)).tolist() == [[1, 1]]
    assert tiers(scores, find_better(scores)).tolist() == [1]


def steady(*levels: float) -> np.ndarray:
    """Methods at these levels, each with its own noise of +-.01 over four tasks, three seeds."""
    rng = np.random.default_rng(1)
    return np.array(levels)[:, None, None] + rng.uniform(-0.01, 0.01, (len(levels), 4, 3))


def test_separated_methods_get_tiers_and_ties_share_them():
    scores = steady(0.2, 0.9, 0.2, 0.5)
    found = find_better(scores)
    assert found.tolist() == [
        [False, False, False, False],
        [True, False, True, True],
        [False, False, False, False],
        [True, False, True, False],
    ]
    assert rank_intervals(found).tolist() == [[3, 4], [1, 1], [3, 4], [2, 2]]
    assert tiers(scores, found).tolist() == [3, 1, 3, 2]


def test_in_a_chain_of_ties_a_tier_begins_with_the_first_that_is_worse_than_its_head():
    scores = steady(0.6, 0.5, 0.4, 0.1)
    found = np.zeros((4, 4), bool)
    found[0, 2] = True  # 0 beats 2; 1 ties with both, and the ranks say so
    found[:3, 3] = True
    assert rank_intervals(found).tolist() == [[1, 2], [1, 3], [2, 3], [4, 4]]
    assert tiers(scores, found).tolist() == [1, 1, 2, 3]


def test_a_noisy_method_joins_no_tiers():
    scores = steady(0.9, 0.9, 0.5, 0.3, 0.1, 0.1)
    scores[3] += np.array([-0.9, 0.0, 0.9])  # between the third and the fifth, told from none
    found = find_better(scores)
    assert not found[3].any()
    assert not found[:, 3].any()
    assert tiers(scores, found).tolist() == [1, 1, 2, 2, 3, 3]


def test_equal_scores_tie():
    scores = np.broadcast_to(steady(0.3), (3, 4, 3))
    assert not find_better(scores).any()
    assert tiers(scores, find_better(scores)).tolist() == [1, 1, 1]


def test_scores_must_be_complete():
    for values in (np.full((2, 2, 2), np.nan), np.full((2, 2, 2), np.inf)):
        with pytest.raises(ValueError, match="finite"):
            find_better(values)
    for shape in ((3,), (2, 0, 3)):
        with pytest.raises(ValueError, match="axes"):
            suite_score(np.zeros(shape))


EQUAL, UNEQUAL = (0.1, 0.1, 0.1, 0.1), (0.05, 0.1, 0.15, 0.2)  # noise of the four tasks


def simulated(
    runs: int, methods: int, seeds: int, noise: tuple[float, ...], random_state: int
) -> np.ndarray:
    """Recoveries (runs, methods, 4, seeds) without any difference: shared and own noise."""
    rng = np.random.default_rng(random_state)
    scale = np.array(noise)[:, None]
    shared = rng.normal(0, 1, (runs, 1, 4, seeds)) * scale
    return 0.5 + shared + rng.normal(0, 1, (runs, methods, 4, seeds)) * scale


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("noise", [EQUAL, UNEQUAL])
def test_intervals_cover_near_nominal(seeds, noise):
    # Standard error of the simulated coverage: sqrt(.95 * .05 / 20000) = .0015.
    scores = simulated(20_000, 2, seeds, noise, random_state=seeds)
    for values, truth in ((scores[:, 0], 0.5), (scores[:, 0] - scores[:, 1], 0.0)):
        low, high = intervals(values).T
        covered = np.mean((low <= truth) & (truth <= high))
        assert 0.945 < covered < 0.975


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("noise", [EQUAL, UNEQUAL])
def test_family_wise_error_without_any_difference(seeds, noise):
    runs = 1000
    scores = simulated(runs, 8, seeds, noise, random_state=seeds)
    found = [find_better(s) for s in scores]
    wrong = np.mean([f.any() for f in found])
    assert wrong + 2 * (wrong * (1 - wrong) / runs) ** 0.5 < 0.05
    assert np.mean([tiers(s, f).max() > 1 for s, f in zip(scores, found, strict=True)]) <= wrong


@pytest.mark.parametrize(("seeds", "power"), [(3, 0.8), (5, 0.99)])
def test_large_differences_are_separated(seeds, power):
    scores = simulated(200, 8, seeds, EQUAL, random_state=seeds)
    scores[:, :4] += 0.4  # four standard deviations of one lineage
    found = np.array([find_better(s) for s in scores])
    assert found[:, :4, 4:].mean() > power
    assert not found[:, 4:, :4].any()
