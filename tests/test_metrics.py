"""Primary metrics against closed forms and known traps."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from benchmark.basics.seeds import stream
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.neighbours import prdc


def normal(n: int, d: int, *words: object) -> torch.Tensor:
    return torch.randn(n, d, generator=stream("metrics", *words))


def test_frechet_distance_equals_the_formula():
    a, b = normal(500, 8, 1), 1.5 * normal(700, 8, 2) + 0.3
    cov_a, cov_b = np.cov(a.double().numpy().T), np.cov(b.double().numpy().T)
    mean = (a.double().mean(0) - b.double().mean(0)).square().sum().item()
    expected = mean + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_equal_sets_is_zero():
    a = normal(300, 8, 1)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_a_copy_has_precision_recall_and_coverage_one():
    a = normal(200, 8, 1)
    scores = prdc(a, a.clone())
    assert (scores["precision"], scores["recall"], scores["coverage"]) == (1, 1, 1)


def test_disjoint_sets_score_zero():
    a = normal(200, 8, 1)
    assert prdc(a, a + 100) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_full_collapse_on_one_real_item_is_precise_but_recalls_nothing():
    """Why precision is never shown alone."""
    a = normal(200, 8, 1)
    scores = prdc(a, a[:1].repeat(200, 1))
    assert scores["precision"] == 1
    assert scores["recall"] == 0
    assert scores["coverage"] < 0.1


def test_prdc_against_brute_force():
    real, generated, k = normal(60, 3, 1), normal(60, 3, 2) * 0.7, 5
    distance = lambda x, y: (x[:, None] - y[None]).norm(dim=-1).double().numpy()  # noqa: E731
    r = np.sort(distance(real, real), 1)[:, k]
    g = np.sort(distance(generated, generated), 1)[:, k]
    between = distance(real, generated)
    scores = prdc(real, generated, k)
    assert scores["precision"] == pytest.approx((between < r[:, None]).any(0).mean())
    assert scores["recall"] == pytest.approx((between < g[None]).any(1).mean())
    assert scores["density"] == pytest.approx((between < r[:, None]).sum(0).mean() / k)
    assert scores["coverage"] == pytest.approx((between.min(1) < r).mean())


def test_unequal_sizes_are_cut_to_the_smaller():
    a, b = normal(100, 4, 1), normal(300, 4, 2)
    assert prdc(a, b) == prdc(a, b[:100])
    with pytest.raises(ValueError, match="more than k"):
        prdc(a[:5], b)
