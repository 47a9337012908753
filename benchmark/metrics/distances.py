"""Distances between all pairs of two sets of features."""

from __future__ import annotations

from torch import Tensor


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """(N, M) squared Euclidean distances in float64, by one matrix product.

    Equal items come out within about 1e-15 of their squared norm from 0, not at 0: fine to find
    the nearest item, not to test for equality.

    Args:
        x: (N, F).
        y: (M, F).
    """
    x, y = x.double(), y.double()
    squared = x.square().sum(1)[:, None] - 2 * (x @ y.T) + y.square().sum(1)[None]
    return squared.clamp_(min=0)


def nearest(x: Tensor, y: Tensor) -> Tensor:
    """(N,) index of the nearest row of `y` (M, F) for each row of `x` (N, F)."""
    return squared_distances(x, y).argmin(1)
