"""Kernel distance between two sets of features, by torchmetrics."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from benchmark.metrics.precomputed import Precomputed

SUBSETS = 5
SUBSET_SIZE = 1_000


def kernel_distance(
    real: Tensor, generated: Tensor, subsets: int = SUBSETS, subset_size: int = SUBSET_SIZE
) -> float:
    """Squared maximum mean discrepancy under k(x, y) = (x.y/F + 1)^3 (Binkowski et al. 2018).

    The unbiased estimate, averaged over random subsets: 0 on average for two samples of one law,
    whatever their size, and therefore slightly negative about half of the time. The subsets are
    the same at every call and torch's global random state is left as it was.

    Args:
        real: (N, F) features of real items.
        generated: (M, F) features of generated items.
        subsets: subsets that are averaged over.
        subset_size: items of each set in one subset, at most; fewer if a set is smaller.

    Raises:
        ValueError: a set holds fewer than two items.
    """
    size = min(subset_size, len(real), len(generated))
    if size < 2:
        raise ValueError(f"the kernel distance needs at least 2 items of each set, got {size}")
    if size == len(real) == len(generated):
        subsets = 1  # every subset is the whole
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchmetrics warns about its own buffers
        from torchmetrics.image.kid import KernelInceptionDistance

        metric = KernelInceptionDistance(
            feature=Precomputed(real.shape[1]), subsets=subsets, subset_size=size
        )
    metric.to(real.device)
    metric.update(real.double(), real=True)
    metric.update(generated.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # torchmetrics draws its subsets from the global generator
        return float(metric.compute()[0])
