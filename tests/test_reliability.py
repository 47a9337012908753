"""How far a table can be believed, on scores whose answers are known."""

import numpy as np
import pytest

from benchmark.results.reliability import (
    correlate_halves,
    correlate_tasks,
    find_improvement,
    find_profile,
    resample_ranks,
    separate_mates,
)


def noisy(means, tasks: int = 3, seeds: int = 5, sd: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.asarray(means)[:, None, None] + sd * rng.standard_normal((len(means), tasks, seeds))


def test_halves_agree_where_methods_differ_and_not_where_they_do_not():
    assert correlate_halves(noisy(np.linspace(0, 1, 12)))[0] > 0.9
    mean, least = correlate_halves(noisy(np.zeros(30)))
    assert -0.3 < mean < 0.3
    assert least <= mean
    with pytest.raises(ValueError, match="two seeds"):
        correlate_halves(noisy([0, 1], seeds=1))


def test_halves_of_an_even_number_of_seeds_are_counted_once():
    scores = np.zeros((3, 1, 2))
    scores[:, 0, 0], scores[:, 0, 1] = [1, 2, 3], [1, 3, 2]
    assert correlate_halves(scores) == pytest.approx((1 / 3, 1 / 3))


def test_a_task_that_turns_the_order_round_is_seen():
    scores = noisy(np.linspace(0, 1, 8))
    scores[:, 2] *= -1
    tau = correlate_tasks(scores)
    assert tau[0, 1] > 0.8
    assert tau[0, 2] < -0.8
    assert (tau == tau.T).all()


def test_ranks_are_certain_where_the_noise_is_small():
    ranks = resample_ranks(noisy([0.1, 0.9, 0.5, 0.5], sd=0.01), np.random.default_rng(1))
    assert ranks[:2].tolist() == [[4, 4], [1, 1]]
    assert ranks[2:].min() == 2
    assert ranks[2:].max() == 3


def test_a_profile_falls_from_one_to_zero_and_counts_lineages():
    scores = np.array([[[0.0, 0.5], [1.0, 0.5]]])
    assert find_profile(scores, [-1, 0, 0.4, 0.5, 1]).tolist() == [[1, 0.75, 0.75, 0.25, 0]]


def test_improvement_is_a_probability_and_antisymmetric():
    scores = np.array([[[0.0, 0.2]], [[0.1, 0.3]], [[5.0, 6.0]]])
    p = find_improvement(scores)
    assert p[0].tolist() == [0.5, 0.25, 0.0]
    assert np.allclose(p + p.T, 1)


def test_methods_of_other_seeds_are_resampled_by_themselves():
    """Who shares seeds moves together; a re-run moves alone, in whatever number of seeds."""
    noise = noisy([0.0], seeds=5, sd=0.1)[0]
    own = noisy([0.0], seeds=3, sd=0.2)[0]
    scores = [noise, noise - 0.01, own - own.mean() + noise.mean()]
    ranks = resample_ranks(scores, np.random.default_rng(1), seeds=["public", "public", "own"])
    assert (ranks[0] < ranks[1]).all()  # never the other way round, wherever the third is
    assert ranks[2].tolist() == [1, 3]


def test_improvement_needs_no_equal_number_of_seeds():
    p = find_improvement([np.array([[0.0, 0.2]]), np.array([[0.1, 0.3, 0.1]])])
    assert p.tolist() == [[0.5, pytest.approx(1 / 3)], [pytest.approx(2 / 3), 0.5]]


def test_tier_mates_that_tests_tell_apart_are_counted():
    better = np.zeros((4, 4), bool)
    better[0, 1] = better[0, 3] = True
    assert separate_mates([1, 1, 1, 2], better) == (3, 1)
