"""Distances between histograms over bins: classes, tokens or cells."""

from __future__ import annotations

import torch
from torch import Tensor


def histogram(bins: Tensor, count: int) -> Tensor:
    """(count,) share of each bin in `bins`, integers in [0, count) of any shape, in float64.

    Raises:
        ValueError: there is nothing to count.
    """
    if bins.numel() == 0:
        raise ValueError("a histogram needs at least one element")
    return torch.bincount(bins.flatten(), minlength=count).double() / bins.numel()


def total_variation(p: Tensor, q: Tensor) -> float:
    """1/2 sum_i |p_i - q_i|: 0 for equal histograms, 1 for disjoint ones.

    Args:
        p: (B,) shares that sum to 1.
        q: (B,) shares that sum to 1.
    """
    return 0.5 * float((p - q).abs().sum())
