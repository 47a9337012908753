"""The theory engine, which is the loop of the real tasks, against a few lines of numpy."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from benchmark.theory import gaussian

DIM, FULL, TOY = 100, (1_000, 100), (20, 3)  # (n, generations)


def replace(n: int, generations: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Fit, sample, fit, ...: (mean, variance) of every generation."""
    x, fits = rng.standard_normal((n, DIM)), []
    for _ in range(generations):
        mean, variance = x.mean(0), x.var(0)
        fits.append(np.stack([mean, variance]))
        x = mean + np.sqrt(variance) * rng.standard_normal((n, DIM))
    return fits


def accumulate_subsample(n: int, generations: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The same on n items drawn from everything so far."""
    x, fits = rng.standard_normal((n, DIM)), []
    pool = [x]
    for t in range(generations):
        if t > 0:
            union = np.concatenate(pool)
            x = union[rng.choice(len(union), n, replace=False)]
        mean, variance = x.mean(0), x.var(0)
        fits.append(np.stack([mean, variance]))
        pool.append(mean + np.sqrt(variance) * rng.standard_normal((n, DIM)))
    return fits


@pytest.mark.parametrize(
    ("schedule", "method", "peer", "least"),
    [
        ("replace", "nothing", replace, 0.3),
        ("replace", "accumulate_subsample", accumulate_subsample, 0.65),
        ("accumulate", "nothing", accumulate_subsample, 1.1),
    ],
    ids=["replace", "accumulate-subsample, method", "accumulate-subsample, schedule"],
)
def test_gaussian_loop(bench, schedule: str, method: str, peer: Callable, least: float):
    """One lineage each; `least` is the engine's speed over that of the leanest numpy, with room for
    a machine that does other things meanwhile.

    The engine also draws the real items of every era, keeps records and checks and contains hooks:
    two milliseconds a generation, of which nothing grows with the generations. Where there is a
    union to draw from, it does not join it.
    """
    n, generations = FULL if bench.enabled else TOY
    ours = partial(gaussian, schedule, method, n, generations, DIM)
    speedup = bench.against(
        ours, {"numpy": lambda: peer(n, generations, np.random.default_rng(0))}, rounds=10
    )
    if bench.enabled:
        assert speedup["numpy"] >= least
