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
    ("schedule", "method", "peer"),
    [
        ("replace", "nothing", replace),
        ("replace", "accumulate_subsample", accumulate_subsample),
        ("accumulate", "nothing", accumulate_subsample),
    ],
    ids=["replace", "accumulate-subsample, method", "accumulate-subsample, schedule"],
)
def test_gaussian_loop(bench, schedule: str, method: str, peer: Callable):
    """One lineage each; the engine also keeps records, draws from named streams and checks hooks.

    Under `replace` it is as fast as the leanest numpy, within the noise of a machine that does
    other things meanwhile; where there is a union to draw from, faster: it does not join it.
    """
    n, generations = FULL if bench.enabled else TOY
    ours = partial(gaussian, schedule, method, n, generations, DIM)
    speedup = bench.against(
        ours, {"numpy": lambda: peer(n, generations, np.random.default_rng(0))}, rounds=10
    )
    if bench.enabled:
        assert speedup["numpy"] >= (0.9 if peer is replace else 1.2)
